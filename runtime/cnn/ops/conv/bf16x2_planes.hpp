// The planes of maps, split into bf16 numbers. For conv's sources only.
#pragma once

#include "cnn/core/bf16_tiles.hpp"
#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/conv/bf16x2.hpp"

#if defined(CNN_BF16_TILES)

namespace cnn::bf16x2 {

/// The places of a map [height][width] that a plane has: first, first + stride, … of each axis.
struct PlaneGrid {
  int height = 0, width = 0;
  int first_row = 0, row_stride = 1, first_column = 0, column_stride = 1;

  friend bool operator==(const PlaneGrid&, const PlaneGrid&) = default;
};

/// The sixteen places from `place` on of a plane whose rows have `width`.
struct PlaceRows {
  struct Part {
    int row, x;      // of lane 0, were it of this row
    int begin, end;  // lanes
  };
  int count = 0;
  Part parts[kTile];

  PlaceRows(int place, int width) {
    int row = place / width, x = place % width;
    for (int lane = 0; lane < kTile; ++row, x = 0) {
      const int end = std::min(lane + width - x, kTile);
      parts[count++] = {row, x - lane, lane, end};
      lane = end;
    }
  }
};

/// What is read of a map for sixteen places. Those outside of the map are zeros.
class PlaceLoads {
 public:
  PlaceLoads(const PlaneGrid& grid, const PlaceRows& rows) : stride_(grid.column_stride) {
    for (int i = 0; i < rows.count; ++i) add(grid, rows.parts[i]);
  }

  /// Those of one map.
  [[gnu::always_inline]] __m512 operator()(const float* map) const {
    if (stride_ != 1) return apart(map);
    if (count_ == 0) return _mm512_setzero_ps();
    __m512 value = _mm512_maskz_loadu_ps(parts_[0].lanes, map + parts_[0].from);
    for (int i = 1; i < count_; ++i) value = _mm512_mask_loadu_ps(value, parts_[i].lanes, map + parts_[i].from);
    return value;
  }
  /// The lanes that are inside.
  __mmask16 inside() const { return inside_; }

 private:
  [[gnu::always_inline]] void add(const PlaneGrid& grid, const PlaceRows::Part& part) {
    const int y = part.row * grid.row_stride + grid.first_row;
    if (y < 0 || y >= grid.height) return;
    const int at = part.x * stride_ + grid.first_column;
    int begin = part.begin, end = part.end;
    if (at + begin * stride_ < 0) begin = (stride_ - 1 - at) / stride_;
    if (at + (end - 1) * stride_ >= grid.width) end = at < grid.width ? (grid.width - at + stride_ - 1) / stride_ : 0;
    if (begin >= end) return;
    const auto lanes = static_cast<__mmask16>((0xffffu >> (kTile - end)) & (0xffffu << begin));
    inside_ = static_cast<__mmask16>(inside_ | lanes);
    parts_[count_++] = {static_cast<std::ptrdiff_t>(y) * grid.width + at, lanes};
  }
  __m512 apart(const float* map) const {
    const __m512i places = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(stride_));
    __m512 value = _mm512_setzero_ps();
    for (int i = 0; i < count_; ++i) value = _mm512_mask_i32gather_ps(value, parts_[i].lanes, places, map + parts_[i].from, sizeof(float));
    return value;
  }

  struct Part {
    std::ptrdiff_t from;  // of lane 0
    __mmask16 lanes;
  };
  int stride_, count_ = 0;
  __mmask16 inside_ = 0;
  Part parts_[kTile];
};

/// Channels of a layout in one set and image, whose places are counted in rows of `width`.
template <int kCount>
class PlaneChannels {
 public:
  PlaneChannels(std::span<const CorrelationSource> sources, const Correlation& c, const Layout& layout, int first, int set, int image, int width)
      : width_(width) {
    for (int i = 0; i < kCount; ++i) take(i, sources, c, layout, first + i, set, image);
    mapped_ = std::ranges::any_of(sources, [](const CorrelationSource& source) { return source.map.affine != nullptr; });
    together_ = std::all_of(grids_, grids_ + kCount, [&](const PlaneGrid& grid) { return grid == grids_[0] || grid.height == 0; });
  }

  /// Calls visit(channel, sixteen places from `place` on) for each.
  template <class Visit>
  [[gnu::always_inline]] void load(int place, Visit&& visit) const {
    const PlaceRows rows(place, width_);
    if (together_) {
      const PlaceLoads loads(grids_[0], rows);
      if (!mapped_) {
        for (int i = 0; i < kCount; ++i) visit(i, grids_[i].height == 0 ? _mm512_setzero_ps() : loads(maps_[i]));
      } else {
        for (int i = 0; i < kCount; ++i) visit(i, mapped(i, loads));
      }
      return;
    }
    for (int i = 0; i < kCount; ++i) visit(i, mapped(i, PlaceLoads(grids_[i], rows)));
  }

 private:
  void take(int i, std::span<const CorrelationSource> sources, const Correlation& c, const Layout& layout, int channel, int set, int image) {
    if (channel >= layout.channels) return;
    int vertical = set / layout.sets_across(), horizontal = set % layout.sets_across();
    if (layout.spread_horizontal) horizontal = channel % layout.horizontal.planes, channel /= layout.horizontal.planes;
    if (layout.spread_vertical) vertical = channel % layout.vertical.planes, channel /= layout.vertical.planes;
    const CorrelationSource* source = sources.data();
    for (; channel >= source->channels; ++source) channel -= source->channels;
    maps_[i] = source->map.map.block(image) + channel * static_cast<std::ptrdiff_t>(c.vertical.source) * c.horizontal.source;
    grids_[i] = {c.vertical.source, c.horizontal.source, layout.vertical.first[vertical], layout.vertical.stride, layout.horizontal.first[horizontal],
                 layout.horizontal.stride};
    if (source->map.affine != nullptr) {
      const ChannelMap map(source->map, channel, source->channels);
      as_loaded_[i] = {map.scale, map.shift, map.least, map.most};
    }
  }
  [[gnu::always_inline]] __m512 mapped(int i, const PlaceLoads& loads) const {
    if (grids_[i].height == 0) return _mm512_setzero_ps();
    __m512 value = loads(maps_[i]);
    if (!mapped_) return value;
    value = _mm512_fmadd_ps(value, _mm512_set1_ps(as_loaded_[i].scale), _mm512_set1_ps(as_loaded_[i].shift));
    // NaN stays NaN: the second operand is what is given where one is none.
    value = _mm512_max_ps(_mm512_set1_ps(as_loaded_[i].least), value);
    return _mm512_maskz_min_ps(loads.inside(), _mm512_set1_ps(as_loaded_[i].most), value);
  }

  struct AsLoaded {
    float scale = 1, shift = 0, least = 0, most = 0;
  };
  int width_;
  bool mapped_ = false, together_ = false;
  const float* maps_[kCount] = {};
  PlaneGrid grids_[kCount];   // no rows: zeros
  AsLoaded as_loaded_[kCount];
};

}  // namespace cnn::bf16x2

#endif
