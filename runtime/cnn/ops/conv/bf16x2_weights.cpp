// Rows of weights are gathered, split and, where columns are not side by side, turned over.
#include "cnn/ops/conv/bf16x2_weights.hpp"

#include "cnn/core/team.hpp"

#if defined(CNN_BF16_TILES)

namespace cnn::bf16x2 {

namespace {

// Sixteen weights of row `row` from a layout's channel `first` on, at tap `tap` of those left.
class WeightLoader {
 public:
  WeightLoader(const WeightPlaces& places, const Correlation& c, const Layout& layout, int first, int tap)
      : places_(places), offsets_(c, layout, first, tap, [&](int channel, int own_tap) {
          return static_cast<int>(channel * places.channel) + places.tap[own_tap];
        }) {
    const bool taps_are_channels = layout.spread_horizontal || layout.spread_vertical;
    together_ = places.channel == 1 && layout.taps == 1 && !taps_are_channels && places.arrays.size() == 1;
    int begin = 0;  // of an array's channels
    for (const WeightPlaces::Array& array : places.arrays) {
      const int end = begin + array.channels;
      const unsigned before = lanes_below(begin - first), behind = lanes_below(end - first);
      // Taps of a channel lie in its array; only one array has them.
      const __mmask16 own = places.arrays.size() == 1 ? offsets_.inside : static_cast<__mmask16>(offsets_.inside & behind & ~before);
      if (own != 0) parts_[count_++] = {array.data - begin * places.channel, own};
      begin = end;
    }
  }
  [[gnu::always_inline]] __m512 operator()(std::ptrdiff_t row) const {
    if (together_) return _mm512_maskz_loadu_ps(offsets_.inside, parts_[0].data + row * places_.row + offsets_.of[0]);
    __m512 value = _mm512_setzero_ps();
    for (int i = 0; i < count_; ++i) {
      value = _mm512_mask_i32gather_ps(value, parts_[i].lanes, offsets_.places(), parts_[i].data + row * places_.row, sizeof(float));
    }
    return value;
  }

 private:
  static unsigned lanes_below(int lane) { return lane <= 0 ? 0 : lane >= kTile ? 0xffff : (1u << lane) - 1; }

  struct Part {
    const float* data = nullptr;
    __mmask16 lanes = 0;
  };
  const WeightPlaces& places_;
  WeightOffsets offsets_;
  Part parts_[kMostSiblings];  // of the arrays
  int count_ = 0;
  bool together_;
};

}  // namespace

void split_weights(float* to, int first_row, int rows, const WeightPlaces& places, const Correlation& c, const Layout& layout) {
  for (int tap = 0; tap < layout.taps; ++tap) {
    for (int block = 0; block < layout.blocks; ++block, to += 2 * kTileFloats) {
      const WeightLoader first(places, c, layout, block * kTileDepth, tap), second(places, c, layout, block * kTileDepth + kTile, tap);
      __m512i large[kTile], small[kTile];
      for (int row = 0; row < kTile; ++row) {
        if (row >= rows) {
          large[row] = small[row] = _mm512_setzero_si512();
          continue;
        }
        const SplitFloats a(first(first_row + row)), b(second(first_row + row));
        large[row] = in_order(a.large, b.large);
        small[row] = in_order(a.small, b.small);
      }
      if (!layout.side_by_side()) transpose(large), transpose(small);
      store_rows(to, large);
      store_rows(to + kTileFloats, small);
    }
  }
}

void split_all_weights(float* to, const WeightPlaces& places, const Correlation& c, const Layout& layout) {
  const std::ptrdiff_t of_tile = layout.steps() * 2 * kTileFloats;
  for_each_tile(panel_count(c.out_channels, kTile), [&](int tile) {
    split_weights(to + tile * of_tile, tile * kTile, std::min(kTile, c.out_channels - tile * kTile), places, c, layout);
  });
}

}  // namespace cnn::bf16x2

#endif
