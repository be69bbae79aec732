// What a band of a direct convolution's outputs reads: the map itself, or a thread's copy of some rows. For conv's sources only.
#pragma once

#include "cnn/core/vector.hpp"
#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/conv/direct.hpp"

namespace cnn::direct {

/// Outputs of an image that lie side by side: of some rows, `count` places from `place` of a plane on.
struct BandPlaces {
  int first_row = 0, rows = 0;
  int place = 0, count = 0;
};

// The first `count` of eight places `stride` apart, the others 0. Nothing behind the last is read.
inline Vector load_places(const float* from, int stride, int count) {
  if (stride == 1) return load_first(from, count);
  if (stride == 2) {
    const int floats = 2 * std::min(count, kLanes) - 1;
    return __builtin_shufflevector(load_first(from, floats), load_first(from + kLanes, floats - kLanes), 0, 2, 4, 6, 8, 10, 12, 14);
  }
  Vector value = {};
  for (int i = 0; i < std::min(count, kLanes); ++i) value[i] = from[i * stride];
  return value;
}

// `count` places from place `at` of a row of `width` on, `stride` apart; those outside are 0. Written in whole vectors, so that what follows
// has to be written later.
template <class Map>
[[gnu::always_inline]] inline void copy_row(float* to, const float* row, int width, int at, int stride, int count, const Map& map) {
  const auto clear = [&](int begin, int end) {
    for (; begin < end; begin += kLanes) store(to + begin, once(Vector{}));
  };
  const int begin = std::min(at >= 0 ? 0 : (stride - 1 - at) / stride, count);
  const int end = std::clamp(at < width ? (width - at + stride - 1) / stride : 0, begin, count);
  clear(end, count);
  clear(0, begin);
  const float* from = row + at;
  int i = begin;
  if (stride == 1) {
    for (; i + kLanes <= end; i += kLanes) store(to + i, map(load(from + i)));
  } else if (stride == 2) {
    for (; i + kLanes < end; i += kLanes) store(to + i, map(load_apart(from + 2 * i)));
  }
  for (; i < end; i += kLanes) {
    const Vector value = map(load_places(from + i * stride, stride, end - i));
    if (end == count) {
      store(to + i, value);
    } else {
      store_first(to + i, value, end - i);
    }
  }
}

// The planes of a channel, whose map is `plane`, for outputs from row `first_row` on.
template <class Map>
void copy_planes(float* to, const float* plane, const Correlation& c, const Layout& layout, int first_row, const Map& map) {
  const CorrelationAxis &v = c.vertical, &h = c.horizontal;
  for (int vertical = 0; vertical < layout.vertical.planes; ++vertical) {
    for (int horizontal = 0; horizontal < layout.horizontal.planes; ++horizontal) {
      for (int row = 0; row < layout.plane_rows(); ++row, to += layout.width()) {
        const int y = layout.vertical.first[vertical] + (first_row + row) * v.stride;
        const bool inside = y >= 0 && y < v.source;
        copy_row(to, plane + (inside ? static_cast<std::ptrdiff_t>(y) * h.source : 0), inside ? h.source : 0, layout.horizontal.first[horizontal], h.stride,
                 layout.width(), map);
      }
    }
  }
}

/// Whether the planes are the map itself.
inline bool reads_map(const Loaded& input, const Correlation& c) {
  return input.affine == nullptr && c.taps() == 1 && c.vertical.shift == 0 && c.horizontal.shift == 0 && c.vertical.stride == 1 &&
         c.horizontal.stride == 1 && c.horizontal.count == c.horizontal.source;
}

/// What a band reads: where each tap finds the first channel's number for place 0 of the band's first row.
struct Planes {
  const float* data = nullptr;
  std::ptrdiff_t channel = 0;  // floats from one to the next
  int width = 0;               // of a row
  int first_place = 0;         // of a row
  std::ptrdiff_t taps[kMostTaps * kMostTaps] = {};
};

/// The map itself.
inline Planes planes_of_map(const Loaded& input, const Correlation& c, int image, const BandPlaces& band) {
  Planes planes;
  planes.width = c.horizontal.source;
  planes.channel = static_cast<std::ptrdiff_t>(c.vertical.source) * planes.width;
  planes.data = input.map.block(image) + static_cast<std::ptrdiff_t>(band.first_row) * planes.width;
  return planes;
}

/// A copy of what a 1x1 kernel reads.
inline Planes copied_places(float* to, const Loaded& input, const Correlation& c, int image, const BandPlaces& band) {
  const std::ptrdiff_t plane = c.horizontal.source, pitch = places_channel(band.count);
  const Planes planes{.data = to, .channel = pitch, .first_place = band.place};
  const float* from = input.map.block(image) + band.place;
  for (int channel = 0; channel < c.in_channels; ++channel, from += plane, to += pitch) {
    with_channel_map(input, channel, c.in_channels, [&](const auto& map) { copy_mapped(to, from, band.count, map); });
  }
  return planes;
}

/// Copies with the padding.
inline Planes copied_planes(float* to, const Loaded& input, const Correlation& c, int image, const BandPlaces& band) {
  const Layout layout(c, band.rows);
  Planes planes{.data = to, .channel = layout.channel(), .width = layout.width()};
  for (int tap = 0; tap < c.taps(); ++tap) planes.taps[tap] = layout.offset_of(tap / c.horizontal.taps, tap % c.horizontal.taps);
  const float* plane = input.map.block(image);
  for (int channel = 0; channel < c.in_channels; ++channel, to += layout.channel()) {
    with_channel_map(input, channel, c.in_channels, [&](const auto& map) { copy_planes(to, plane, c, layout, band.first_row, map); });
    plane += static_cast<std::ptrdiff_t>(c.vertical.source) * c.horizontal.source;
  }
  return planes;
}

}  // namespace cnn::direct
