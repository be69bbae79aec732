// Weights as tiles of bf16 numbers. For conv's sources only.
#pragma once

#include "cnn/core/bf16_tiles.hpp"
#include "cnn/ops/conv/bf16x2.hpp"

#if defined(CNN_BF16_TILES)

namespace cnn::bf16x2 {

/// Where the weights of a correlation lie: of output channel r, input channel k and tap t at r * row + k * channel + tap[t] of `data`. Of several
/// arrays each has the next input channels.
struct WeightPlaces {
  struct Array {
    const float* data;
    int channels;
  };
  std::ptrdiff_t row = 0, channel = 0;
  std::span<const Array> arrays;
  int tap[kMostTaps * kMostTaps] = {};
};

/// Where a layout's channels and taps are in a row of weights [in_channels][taps]: of the sixteen channels from `first` on, at tap `tap` of
/// those left. `inside`: the channels that there are.
struct WeightOffsets {
  alignas(64) int of[kTile];
  __mmask16 inside = 0;

  template <class Place>
  WeightOffsets(const Correlation& c, const Layout& layout, int first, int tap, Place&& place) {
    for (int i = 0; i < kTile; ++i) {
      int channel = first + i;
      of[i] = 0;
      if (channel >= layout.channels) continue;
      inside = static_cast<__mmask16>(inside | 1u << i);
      int x = tap % layout.horizontal.taps, y = tap / layout.horizontal.taps;
      if (layout.spread_horizontal) x = channel % layout.horizontal.planes, channel /= layout.horizontal.planes;
      if (layout.spread_vertical) y = channel % layout.vertical.planes, channel /= layout.vertical.planes;
      of[i] = place(channel, y * c.horizontal.taps + x);
    }
  }
  __m512i places() const { return _mm512_load_si512(of); }
};

/// Splits the weights of `rows` rows from `first_row` on, a tile of them: [step]{large parts, small parts}[pair of channels][row], or [row][channel]
/// where columns lie side by side.
void split_weights(float* to, int first_row, int rows, const WeightPlaces& places, const Correlation& c, const Layout& layout);

/// The same of all rows. Collective.
void split_all_weights(float* to, const WeightPlaces& places, const Correlation& c, const Layout& layout);

}  // namespace cnn::bf16x2

#endif
