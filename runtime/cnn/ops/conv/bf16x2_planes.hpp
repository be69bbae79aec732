// The planes of maps, split into bf16 numbers. For conv's sources only.
#pragma once

#include "cnn/core/bf16_tiles.hpp"
#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/conv/bf16x2.hpp"

#if defined(CNN_BF16_TILES)

namespace cnn::bf16x2 {

/// Sixteen places of a plane that follow each other, row after row: which lanes are of which row.
struct PlacePieces {
  struct Piece {
    int row, x;         // of lane 0, were it of this row
    int begin, end;     // lanes
  };
  int count = 0;
  Piece pieces[kTile];

  PlacePieces(int place, int width) {
    int row = place / width, x = place % width;
    for (int lane = 0; lane < kTile; ++row, x = 0) {
      const int end = std::min(lane + width - x, kTile);
      pieces[count++] = {row, x - lane, lane, end};
      lane = end;
    }
  }
};

/// A channel's plane of the source as one plane of the layout reads it: outside of it are zeros.
class Plane {
 public:
  Plane() = default;
  /// `plane` [height][width]: the places first, first + stride, … of each axis.
  Plane(const float* plane, int height, int width, int first_row, int row_stride, int first_column, int column_stride)
      : plane_(plane), height_(height), width_(width), first_row_(first_row), row_stride_(row_stride), first_(first_column), stride_(column_stride) {}

  void map_by(const ChannelMap& map) {
    map_ = map;
    mapped_ = true;
  }

  [[gnu::always_inline]] __m512 load(const PlacePieces& places) const {
    __m512 value = load(places.pieces[0]);
    for (int i = 1; i < places.count; ++i) value = _mm512_or_ps(value, load(places.pieces[i]));
    return value;
  }

 private:
  [[gnu::always_inline]] __m512 load(const PlacePieces::Piece& piece) const {
    const int y = piece.row * row_stride_ + first_row_;
    if (y < 0 || y >= height_) return _mm512_setzero_ps();
    // Lanes [begin, end) are inside of the row.
    const int at = piece.x * stride_ + first_;  // of lane 0
    int begin = piece.begin, end = piece.end;
    if (at + begin * stride_ < 0) begin = std::min((stride_ - 1 - at) / stride_, end);
    if (at + (end - 1) * stride_ >= width_) end = at < width_ ? std::max((width_ - at + stride_ - 1) / stride_, begin) : begin;
    const auto inside = static_cast<__mmask16>((0xffffu >> (kTile - end)) & (0xffffu << begin));
    const float* from = plane_ + static_cast<std::ptrdiff_t>(y) * width_ + at;
    __m512 value;
    if (stride_ == 1) {
      value = _mm512_maskz_loadu_ps(inside, from);
    } else {
      const __m512i places = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(stride_));
      value = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), inside, places, from, sizeof(float));
    }
    if (!mapped_) return value;
    value = _mm512_fmadd_ps(value, _mm512_set1_ps(map_.scale), _mm512_set1_ps(map_.shift));
    // NaN stays NaN: the second operand is what is given where one is none.
    value = _mm512_max_ps(_mm512_set1_ps(map_.least), value);
    return _mm512_maskz_min_ps(inside, _mm512_set1_ps(map_.most), value);
  }

  const float* plane_ = nullptr;
  int height_ = 0, width_ = 0;  // no rows: zeros everywhere
  int first_row_ = 0, row_stride_ = 1, first_ = 0, stride_ = 1;
  bool mapped_ = false;
  ChannelMap map_{1, 0, Activation::kNone};
};

/// The plane of a layout's channel in one set and image.
inline Plane plane_of(std::span<const CorrelationSource> sources, const Correlation& c, const Layout& layout, int channel, int set, int image) {
  const int across = layout.spread_horizontal ? 1 : layout.horizontal.planes;
  int vertical = set / across, horizontal = set % across;
  if (channel >= layout.channels) return {};
  if (layout.spread_horizontal) horizontal = channel % layout.horizontal.planes, channel /= layout.horizontal.planes;
  if (layout.spread_vertical) vertical = channel % layout.vertical.planes, channel /= layout.vertical.planes;
  const CorrelationSource* source = sources.data();
  for (; channel >= source->channels; ++source) channel -= source->channels;
  const std::ptrdiff_t floats = static_cast<std::ptrdiff_t>(c.vertical.source) * c.horizontal.source;
  Plane plane(source->map.map.block(image) + channel * floats, c.vertical.source, c.horizontal.source, layout.vertical.first[vertical],
              layout.vertical.stride, layout.horizontal.first[horizontal], layout.horizontal.stride);
  if (source->map.affine != nullptr) plane.map_by(ChannelMap(source->map, channel, source->channels));
  return plane;
}

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

}  // namespace cnn::bf16x2

#endif
