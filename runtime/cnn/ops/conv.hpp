// Convolution (cross-correlation, as every framework has it): any kernel, stride, padding, dilation, groups.
#pragma once

#include <algorithm>

#include "cnn/core/types.hpp"

namespace cnn {

struct ConvGeometry {
  int in_channels = 0, in_height = 0, in_width = 0;
  int out_channels = 0, out_height = 0, out_width = 0;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int pad_top = 0, pad_left = 0;  // bottom and right follow from the output's size
  int dilation_height = 1, dilation_width = 1;
  int groups = 1;
  int block = 1;

  constexpr int taps() const { return kernel_height * kernel_width; }
  /// Products in one output element: the rows of the whole matrix of columns.
  constexpr int depth() const { return in_channels / groups * taps(); }
  /// A 1x1 convolution whose columns are the input itself.
  constexpr bool pointwise() const {
    return taps() == 1 && stride_height == 1 && stride_width == 1 && pad_top == 0 && pad_left == 0 &&
           out_height == in_height && out_width == in_width;
  }
};

/// Rows of the output, of [NB][out_height], in a tile whose columns have `depth` rows: about 2^16 floats a
/// tile.
constexpr int conv_tile_rows(const ConvGeometry& g, int depth) {
  const int columns = std::clamp(65536 / depth, 96, 2048);
  return std::clamp(columns / g.out_width, 1, g.block * g.out_height);
}

/// Input channels that backward takes at a time: columns of at most 256 rows, unless one channel has more.
constexpr int conv_chunk(const ConvGeometry& g) {
  const int most = std::max(1, 256 / g.taps());
  const int chunks = (g.in_channels / g.groups + most - 1) / most;
  return (g.in_channels / g.groups + chunks - 1) / chunks;
}

/// Partial sums of the weights' gradient, so that eight threads have work, as far as a megafloat goes.
constexpr int conv_slots(const ConvGeometry& g) {
  const int chunks = (g.in_channels / g.groups + conv_chunk(g) - 1) / conv_chunk(g) * g.groups;
  const std::ptrdiff_t weights = static_cast<std::ptrdiff_t>(g.out_channels) * g.depth();
  return static_cast<int>(std::clamp<std::ptrdiff_t>((1 << 20) / weights, 1, (8 + chunks - 1) / chunks));
}

/// What any of the functions below needs, for batches of any size: a tile of columns a thread, and partial
/// sums.
constexpr ScratchSize conv_scratch(const ConvGeometry& g, int /*batch*/) {
  const int chunk_depth = conv_chunk(g) * g.taps();
  const std::size_t forward =
      static_cast<std::size_t>(g.depth()) * conv_tile_rows(g, g.depth()) * g.out_width;
  const std::size_t backward =
      static_cast<std::size_t>(chunk_depth) * conv_tile_rows(g, chunk_depth) * g.out_width;
  const std::size_t weights = static_cast<std::size_t>(g.out_channels) * g.depth();
  return {.per_thread = g.pointwise() ? 0 : std::max(forward, backward),
          .shared = (conv_slots(g) - 1) * weights};
}

/// output [.., out_channels, out_height, out_width] = weight [out, in / groups, kh, kw] * input + bias [out].
void conv(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
          const ConvGeometry& geometry, int batch, const Scratch& scratch);
void conv(Blocked output, ConstBlocked input, ConstFloats weight, const ConvGeometry& geometry, int batch,
          const Scratch& scratch);

void conv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                         const ConvGeometry& geometry, int batch, const Scratch& scratch);

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                          const ConvGeometry& geometry, int batch, const Scratch& scratch);
void conv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input,
                          const ConvGeometry& geometry, int batch, const Scratch& scratch);

}  // namespace cnn
