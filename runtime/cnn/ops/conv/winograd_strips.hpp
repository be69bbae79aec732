// Strips: what runs of tiles read of a plane, transformed from top to bottom as it is loaded, padding included, so that all
// tiles are alike. A tile's second transform, from left to right, reads from there. For winograd's sources only.
#pragma once

#include "cnn/core/ahead.hpp"
#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/conv/winograd_transforms.hpp"

namespace cnn::winograd {

/// Tiles side by side: of one row of tiles of one image.
struct TileRun {
  int image, row, column;  // of the first; row and column count tiles
  int count;
};

/// Calls visit(run) for the runs of tiles [begin, end), none of more than `most`.
template <class Visit>
void for_each_run(const Tiles& tiles, int begin, int end, int most, Visit&& visit) {
  for (int tile = begin; tile < end;) {
    const int column = tile % tiles.columns;
    const int count = std::min({tiles.columns - column, end - tile, most});
    visit(TileRun{tile / (tiles.rows * tiles.columns), tile / tiles.columns % tiles.rows, column, count});
    tile += count;
  }
}

/// Floats of a row of a strip of `count` tiles: some more than their inputs, since loads are of kLanes.
constexpr int strip_stride(int count, int outputs) { return count * outputs + kLanes; }

/// The plane of a channel as it is loaded, and where the plane lies that will be read next, as seen from it.
struct PlaneView {
  const float* data;
  int height, width;
  std::ptrdiff_t next;
  const Loaded& source;
  int channel, channels;
};

// What rows outside of a plane hold: a copy for each source, since kernels own no global variable.
alignas(64) static constexpr float kZeros[kMostTiles * outputs_of(3) + kLanes] = {};

/// The rows of a strip, from the first place inside the plane on.
template <int kRows>
struct StripRows {
  const float* from[kRows];
  bool inside[kRows];

  StripRows(const PlaneView& plane, const int (&rows)[kRows], int x, int count) {
    for (int row = 0; row < kRows; ++row) {
      inside[row] = rows[row] >= 0 && rows[row] < plane.height;
      from[row] = inside[row] ? plane.data + static_cast<std::ptrdiff_t>(rows[row]) * plane.width + x : kZeros;
      if (inside[row]) ask_for(from[row] + plane.next, count);
    }
  }
};

/// strip [kTo][stride], `count` places: transform(to, rows) of the rows, a vector of places at a time.
template <int kTo, int kRows, class Map, class Transform>
[[gnu::always_inline]] inline void transform_places(float* strip, int stride, const StripRows<kRows>& rows, int count, Map&& map,
                                                    Transform&& transform) {
  const auto put = [&]<class V>(int place, V (*take)(const float*, int)) __attribute__((always_inline)) {
    V taken[kRows], to[kTo];
    for (int row = 0; row < kRows; ++row) taken[row] = map(take(rows.from[row] + place, count), row);
    transform(to, taken);
    for (int row = 0; row < kTo; ++row) store(strip + row * stride + place, to[row]);
  };
  if (count < kLanes) return put(0, +[](const float* from, int some) { return load_part(from, some); });
  constexpr auto kEight = +[](const float* from, int) { return load(from); };
  int place = 0;
  for (; place + kWideLanes <= count; place += kWideLanes) put(place, +[](const float* from, int) { return load_as<Wide>(from); });
  for (; place + kLanes <= count; place += kLanes) put(place, kEight);
  if (place < count) put(count - kLanes, kEight);
}

/// strip [kTo][stride]: transform(to, rows) of the plane's rows `rows`, `columns` places from x on, zeros beside the plane.
template <int kTo, int kRows, class Transform>
[[gnu::always_inline]] inline void transform_strip(float* strip, int stride, const PlaneView& plane, const int (&rows)[kRows],
                                                   int x, int columns, Transform&& transform) {
  const int begin = std::clamp(-x, 0, columns);
  const int end = std::clamp(plane.width - x, begin, columns);
  if (begin < end) {
    const StripRows<kRows> own(plane, rows, x + begin, end - begin);
    if (plane.source.affine == nullptr) {
      transform_places<kTo>(strip + begin, stride, own, end - begin, [](auto value, int) { return value; }, transform);
    } else {
      const ChannelMap map(plane.source, plane.channel, plane.channels);
      float scale[kRows], shift[kRows];  // 0 outside: 0 is what all activations make of that
      for (int row = 0; row < kRows; ++row) {
        scale[row] = own.inside[row] ? map.scale : 0;
        shift[row] = own.inside[row] ? map.shift : 0;
      }
      transform_places<kTo>(
          strip + begin, stride, own, end - begin,
          [&]<class V>(V value, int row) {
            return at_most(at_least(value * scale[row] + shift[row], broadcast<V>(map.least)), broadcast<V>(map.most));
          },
          transform);
    }
  }
  for (int row = 0; row < kTo; ++row, strip += stride) {
    clear(strip, begin);
    clear(strip + end, columns - end);
  }
}

/// Eight places from lanes[lane] + offset on, as a vector over the lanes for each place.
[[gnu::always_inline]] inline void load_lanes(Vector (&places)[kLanes], const float* const* lanes, std::ptrdiff_t offset) {
  for (int lane = 0; lane < kLanes; ++lane) places[lane] = load(lanes[lane] + offset);
  transpose(places);
}
#if defined(__AVX512F__)
[[gnu::always_inline]] inline void load_lanes(Wide (&places)[kLanes], const float* const* lanes, std::ptrdiff_t offset) {
  for (int lane = 0; lane < kLanes; ++lane) {
    places[lane] = __builtin_shufflevector(load(lanes[lane] + offset), load(lanes[lane + kLanes] + offset), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
                                           13, 14, 15);
  }
  transpose(places);
}
#endif

}  // namespace cnn::winograd
