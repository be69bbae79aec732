// The columns of a correlation's tile: which places of the source they read for a tap, and where their sums go.
// For conv's sources only.
#pragma once

#include <algorithm>

#include "cnn/core/ahead.hpp"
#include "cnn/core/multiply_panels.hpp"
#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/conv/correlation.hpp"

namespace cnn {

inline constexpr int kTileColumns = kTilePanels * kPanelColumns;

/// Outputs that lie side by side: of one row of one image; or of a whole image where its elements are the columns.
struct Run {
  std::ptrdiff_t image;  // where its image begins in the source, without the channel
  int y, x;              // of the first output
  int count;
};

/// The columns of a tile, and where their sums go.
struct TileColumns {
  int runs = 0;
  int count = 0;
  Run run[kTileColumns];
  std::ptrdiff_t target[kTileColumns];  // without the channel
  std::ptrdiff_t addend[kTileColumns];
  bool together[kTilePanels];           // whether a panel's sums lie side by side
};

/// Floats of a channel's plane of one image.
struct Planes {
  std::ptrdiff_t source, target;

  explicit Planes(const Correlation& c)
      : source(static_cast<std::ptrdiff_t>(c.vertical.source) * c.horizontal.source),
        target(static_cast<std::ptrdiff_t>(c.vertical.target) * c.horizontal.target) {}
};

/// Columns [begin, end) of a batch; strides are those of the maps' blocks.
TileColumns columns_of(const Correlation& c, std::ptrdiff_t source_stride, std::ptrdiff_t target_stride,
                       std::ptrdiff_t addend_stride, int begin, int end);

/// The columns from `begin` on, as far as one image and one tile go, of planes of `map` from `channel` on.
inline Ahead columns_ahead(const ConstBlocked& map, const Correlation& c, int begin, int batch, int channel, int planes) {
  if (begin >= c.outputs() * batch || planes <= 0) return {};
  const int image = begin / c.outputs();
  const int place = begin % c.outputs();
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(c.outputs()) * c.block;
  const float* from = map.block(image / c.block) + channel * plane + image % c.block * c.outputs() + place;
  return {from, std::min(kTileColumns, c.outputs() - place), plane, planes};
}

/// Floats of a row of columns: copies write whole vectors, so up to seven more than they were asked for.
inline constexpr int kRowFloats = kTileColumns + kLanes;

/// A copy of `count` floats in whole vectors; nothing is read from `end` on.
template <class Map>
[[gnu::always_inline]] inline void copy_beyond(float* to, const float* from, int count, const float* end, Map&& map) {
  int i = 0;
  for (; i < count && end - (from + i) >= kLanes; i += kLanes) store(to + i, map(load(from + i)));
  for (; i < count; ++i) to[i] = map(from[i]);
}

/// The same of every `stride`th element.
template <class Map>
[[gnu::always_inline]] inline void copy_apart(float* to, const float* from, int count, int stride, const float* end, Map&& map) {
  int i = 0;
  if (stride == 2) {
    for (; i < count && end - (from + 2 * i) >= 2 * kLanes; i += kLanes) store(to + i, map(load_apart(from + 2 * i)));
  } else if (stride == 4) {
    for (; i < count && end - (from + 4 * i) >= 4 * kLanes; i += kLanes) {
      const float* own = from + 4 * i;
      store(to + i, map(__builtin_shufflevector(load_apart(own), load_apart(own + 2 * kLanes), 0, 2, 4, 6, 8, 10, 12, 14)));
    }
  }
  for (; i < count; ++i) to[i] = map(from[static_cast<std::ptrdiff_t>(i) * stride]);
}

/// row [kRowFloats]: channel and tap of all columns.
template <class Map>
void gather_row(float* row, const float* channel, const TileColumns& columns, const Correlation& c, int tap, Map&& map) {
  const CorrelationAxis& v = c.vertical;
  const CorrelationAxis& h = c.horizontal;
  const int shift_y = v.shift + tap / h.taps * v.tap_spacing;
  const int shift_x = h.shift + tap % h.taps * h.tap_spacing;
  // Outputs of a row whose place is inside the source: [inside_begin, inside_end).
  const int inside_begin = shift_x >= 0 ? 0 : (-shift_x + h.stride - 1) / h.stride;
  const int inside_end = h.source > shift_x ? (h.source - 1 - shift_x) / h.stride + 1 : 0;
  const std::ptrdiff_t plane = Planes(c).source;
  for (int i = 0; i < columns.runs; ++i) {
    const Run& run = columns.run[i];
    const int y = run.y * v.stride + shift_y;
    const int begin = std::max(run.x, inside_begin);
    const int end = std::min(run.x + run.count, inside_end);
    if (y < 0 || y >= v.source || begin >= end) {
      clear(row, run.count);
    } else {
      const float* image = channel + run.image;
      const float* from = image + static_cast<std::ptrdiff_t>(y) * h.source + shift_x + static_cast<std::ptrdiff_t>(begin) * h.stride;
      clear(row, begin - run.x);
      if (h.stride == 1) {
        copy_beyond(row + (begin - run.x), from, end - begin, image + plane, map);
      } else {
        copy_apart(row + (begin - run.x), from, end - begin, h.stride, image + plane, map);
      }
      clear(row + (end - run.x), run.x + run.count - end);
    }
    row += run.count;
  }
}

/// As above, mapped as the source is loaded; `channel` counts the map's.
inline void gather_row(float* row, const Loaded& source, int channel, const TileColumns& columns, const Correlation& c, int tap) {
  const Planes planes(c);
  const float* from = source.map.data + channel * planes.source * c.block;
  if (source.affine == nullptr) return gather_row(row, from, columns, c, tap, [](auto value) { return value; });
  gather_row(row, from, columns, c, tap, ChannelMap(source, channel, c.groups * c.in_channels));
}

}  // namespace cnn
