// Local response normalisation, for a piece of all channels' rows at a time: neighbouring channels are loops
// over neighbouring elements. Backward keeps the terms of one window.
#include "cnn/ops/lrn.hpp"

#include <cmath>

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

constexpr int kPiece = 256;

// Calls work(block, offset, count) for pieces of a channel's row [NB][H][W], of at most `most` elements, as
// tiles.
template <class Work>
void for_each_piece(const LrnGeometry& g, int batch, int most, Work&& work) {
  const int pixels = g.map().pixels();
  const int pieces = (g.block * pixels + most - 1) / most;
  for_each_tile(block_count(batch, g.block) * pieces, [&](int tile) {
    const int block = tile / pieces;
    const int begin = tile % pieces * most;
    const int end = std::min(begin + most, images_in_block(batch, g.block, block) * pixels);
    if (begin < end) work(block, begin, end - begin);
  });
}

// The bracket of a channel, for `count` elements; `in` is the piece's place in channel 0, rows are `row`
// apart.
void find_scales(float* scales, const float* in, std::ptrdiff_t row, const LrnGeometry& g, int channel,
                 int count) {
  std::fill_n(scales, count, 0.0f);
  const int first = std::max(channel - g.size / 2, 0);
  const int last = std::min(channel + (g.size - 1) / 2, g.channels - 1);
  for (int neighbour = first; neighbour <= last; ++neighbour) {
    const float* __restrict from = in + neighbour * row;
    for (int i = 0; i < count; ++i) scales[i] += from[i] * from[i];
  }
  const float factor = g.alpha / static_cast<float>(g.size);
  for (int i = 0; i < count; ++i) scales[i] = g.k + factor * scales[i];
}

// powers = scales^-beta; the usual beta by roots, which are vectors' work.
void find_powers(float* __restrict powers, const float* __restrict scales, float beta, int count) {
  if (beta == 0.75f) {
    for (int i = 0; i < count; ++i) {
      const float root = std::sqrt(scales[i]);
      powers[i] = 1 / (root * std::sqrt(root));
    }
  } else {
    for (int i = 0; i < count; ++i) powers[i] = std::pow(scales[i], -beta);
  }
}

// What one window's channels add to their neighbours' gradients, and to their own.
struct Terms {
  static constexpr int kFloats = 8192;
  static_assert(kFloats >= kLrnMostSize);
  float shared[kFloats], own[kFloats];  // by the channel modulo the window's size

  void find(const float* d_out, const float* in, std::ptrdiff_t row, const LrnGeometry& g, int channel,
            int most, int count) {
    float scales[kPiece], powers[kPiece];
    find_scales(scales, in, row, g, channel, count);
    find_powers(powers, scales, g.beta, count);
    const float* __restrict x = in + channel * row;
    const float* __restrict d = d_out + channel * row;
    float* __restrict to_own = own + channel % g.size * most;
    float* __restrict to_shared = shared + channel % g.size * most;
    for (int i = 0; i < count; ++i) {
      to_own[i] = d[i] * powers[i];
      to_shared[i] = to_own[i] * x[i] / scales[i];
    }
  }
};

}  // namespace

void lrn(Blocked output, ConstBlocked input, const LrnGeometry& g, int batch) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(g.block) * g.map().pixels();
  for_each_piece(g, batch, kPiece, [&](int block, int offset, int count) {
    const float* in = input.block(block) + offset;
    float* out = output.block(block) + offset;
    float scales[kPiece], powers[kPiece];
    for (int channel = 0; channel < g.channels; ++channel) {
      find_scales(scales, in, row, g, channel, count);
      find_powers(powers, scales, g.beta, count);
      for (int i = 0; i < count; ++i) out[channel * row + i] = in[channel * row + i] * powers[i];
    }
  });
}

void lrn_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input, const LrnGeometry& g,
                        int batch) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(g.block) * g.map().pixels();
  const int most = std::min(kPiece, Terms::kFloats / g.size);
  const int ahead = g.size / 2;  // how far the last window that has a channel is from it
  const float factor = 2 * g.alpha * g.beta / static_cast<float>(g.size);
  for_each_piece(g, batch, most, [&](int block, int offset, int count) {
    const float* in = input.block(block) + offset;
    const float* d_out = d_output.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    Terms terms;
    for (int next = 0; next < g.channels + ahead; ++next) {
      if (next < g.channels) terms.find(d_out, in, row, g, next, most, count);
      const int channel = next - ahead;
      if (channel < 0) continue;
      float sums[kPiece] = {};
      const int last = std::min(next, g.channels - 1);
      for (int neighbour = std::max(channel - (g.size - 1) / 2, 0); neighbour <= last; ++neighbour) {
        const float* from = terms.shared + neighbour % g.size * most;
        for (int i = 0; i < count; ++i) sums[i] += from[i];
      }
      const float* own = terms.own + channel % g.size * most;
      for (int i = 0; i < count; ++i)
        d_in[channel * row + i] = own[i] - factor * in[channel * row + i] * sums[i];
    }
  });
}

}  // namespace cnn
