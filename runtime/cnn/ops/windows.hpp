// How the pools walk over rows of windows. For their sources only.
#pragma once

#include "cnn/ops/pool.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

/// Outputs of a row that are worked on together, in registers and the first-level cache.
inline constexpr int kPoolPiece = 64;

/// Outputs [begin, end) of a row whose column `tap` of the window lies in the input.
struct PoolSpan {
  int begin, end;
};

template <class Stride>
PoolSpan pool_span(const PoolGeometry& g, int tap, int piece_begin, int piece_end, Stride stride) {
  const int shift = tap - g.pad_left;  // output x reads input x * stride + shift
  const int last = g.in_width - 1 - shift;
  const int begin = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const int end = last < 0 ? 0 : last / stride + 1;
  const int clamped = std::clamp(begin, piece_begin, piece_end);
  return {clamped, std::clamp(end, clamped, piece_end)};
}

/// How many places of a window an average counts along one axis, at least 1 so that an empty window's mean is 0.
inline int counted(int output, int kernel, int stride, int pad, int size, bool count_include_pad) {
  const int begin = output * stride - pad;
  const int end = std::min(begin + kernel, size + pad);
  const int places = count_include_pad ? end - begin : std::min(end, size) - std::max(begin, 0);
  return std::max(places, 1);
}

/// Calls `work(block, input offset, output offset)` for each image's channel, as tiles of the team.
template <class Work>
void for_each_pool_plane(const PoolGeometry& g, int batch, Work&& work) {
  const MapGeometry map{g.channels, g.in_height, g.in_width, g.block};
  const std::ptrdiff_t in_plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t out_plane = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
  for_each_channels(map, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      for (int image = 0; image < images; ++image) {
        const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(channel) * g.block + image;
        work(block, plane * in_plane, plane * out_plane);
      }
    }
  });
}

/// Calls `work(begin, end)` for the pieces of a row of outputs.
template <class Work>
void for_each_piece(const PoolGeometry& g, Work&& work) {
  for (int begin = 0; begin < g.out_width; begin += kPoolPiece)
    work(begin, std::min(begin + kPoolPiece, g.out_width));
}

}  // namespace cnn
