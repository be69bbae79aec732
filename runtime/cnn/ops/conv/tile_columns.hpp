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

/// Whether an image's columns are the places of a channel's plane, in their order: a 1x1 kernel's.
inline bool are_planes(const Correlation& c) {
  return c.taps() == 1 && c.horizontal.stride == 1 && c.vertical.count == 1 && c.horizontal.shift == 0 &&
         c.horizontal.source == c.horizontal.count;
}

/// Whether they are, and all runs are made of whole vectors.
inline bool in_whole_vectors(const TileColumns& columns, const Correlation& c) {
  return are_planes(c) && std::all_of(columns.run, columns.run + columns.runs, [](const Run& run) { return run.count % kLanes == 0; });
}

/// Columns [begin, end), as far as one image goes, of planes of `map` from `channel` on.
inline Ahead columns_ahead(const ConstBlocked& map, const Correlation& c, int begin, int end, int channel, int planes) {
  if (begin >= end || planes <= 0) return {};
  const int image = begin / c.outputs();
  const int place = begin % c.outputs();
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(c.outputs()) * c.block;
  const float* from = map.block(image / c.block) + channel * plane + image % c.block * c.outputs() + place;
  return {from, std::min(end - begin, c.outputs() - place), plane, planes};
}

/// Floats of a row of columns: copies write whole vectors, so more than they were asked for.
inline constexpr int kRowFloats = kTileColumns + kWideLanes;

/// A copy of `count` floats in whole vectors; nothing is read from `end` on.
inline void copy_beyond(float* to, const float* from, int count, const float* end) {
  int i = 0;
  for (; i < count && end - (from + i) >= kLanes; i += kLanes) store(to + i, load(from + i));
  for (; i < count; ++i) to[i] = from[i];
}

/// How a tile's columns read a channel's plane, tap by tap. The rows of the columns' matrix differ in nothing else, so that
/// this is found out once.
class ColumnPieces {
 public:
  /// `table` has piece_floats(c) floats.
  ColumnPieces(const TileColumns& columns, const Correlation& c, float* table);

  /// row [kRowFloats]: the map's channel `channel` and tap of all columns, mapped as the source is loaded.
  void gather(float* row, const Loaded& source, int channel, int tap) const;

 private:
  template <class Map>
  void gather_mapped(float* row, const float* plane, const ColumnPiece* pieces, bool careful, const Map& map) const;

  const Correlation& c_;
  ColumnPiece* table_;
  int count_ = 0;  // for each tap
};

}  // namespace cnn
