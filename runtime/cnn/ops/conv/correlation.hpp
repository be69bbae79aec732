// A correlation of maps with weights as a product of packed panels, with nothing gathered in memory: the engine of `conv`
// forward, and of its backward pass, which correlates the output's gradient with turned weights. For conv's sources only.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "cnn/core/panels.hpp"
#include "cnn/core/types.hpp"
#include "cnn/ops/loaded.hpp"

namespace cnn {

/// Places of one axis: output i lies at first + i * spacing of the target and reads, for tap t, i * stride + tap_shift(t)
/// of the source, where tap_shift(t) = shift + t * tap_spacing.
struct CorrelationAxis {
  int count = 0;
  int first = 0, spacing = 1;
  int stride = 1;
  int taps = 1, shift = 0, tap_spacing = 1;
  int source = 0, target = 0;  // extents of the maps
};

struct Correlation {
  CorrelationAxis vertical = {}, horizontal = {};
  int in_channels = 0, out_channels = 0;        // of one group
  int group = 0, groups = 1;                    // which of the maps' channels those are
  int block = 1;

  constexpr int taps() const { return vertical.taps * horizontal.taps; }
  constexpr int depth() const { return in_channels * taps(); }
  constexpr int outputs() const { return vertical.count * horizontal.count; }
};

inline constexpr int kCorrelationDepth = 256;  // of a right panel: 16 KiB, half of a first-level cache
inline constexpr int kTilePanels = 12;         // right panels of a tile: 192 KiB of a second-level cache

/// Floats from one right panel to the next: a step more than it has, since a power of two would put the same steps of all
/// panels into one set of the cache.
constexpr std::ptrdiff_t right_panel_stride(int depth) {
  return static_cast<std::ptrdiff_t>(depth + 1) * kPanelColumns;
}

/// How the outputs of a batch are cut so that eight threads have work: into tiles of columns, smaller ones where there are
/// few. Where weights are more than a second-level cache holds, rows are cut instead, so that they are read once.
struct CorrelationTiles {
  int panels, tiles, row_parts;

  constexpr CorrelationTiles(const Correlation& c, int batch)
      : panels(panel_count(c.outputs() * batch, kPanelColumns)), tiles(panel_count(panels, kTilePanels)), row_parts(1) {
    if (tiles == 0 || tiles >= kWanted) return;
    const int row_panels = panel_count(c.out_channels, kPanelRows);
    if (left_panel_floats(c.out_channels, c.depth()) <= kMostReadAgain) tiles = panels < kWanted ? panels : kWanted;
    const int most = panel_count(row_panels, 8);
    row_parts = panel_count(kWanted, tiles);
    if (row_parts > most) row_parts = most;
  }
  constexpr int panel_begin(int tile) const {
    return static_cast<int>(static_cast<long>(panels) * tile / tiles);
  }
  constexpr int tasks() const { return tiles * row_parts; }

 private:
  static constexpr int kWanted = 8;
  static constexpr std::size_t kMostReadAgain = std::size_t{5} << 16;  // floats of weights
};

/// Eight columns of a tile for one tap: they read places from `from` on of a channel's plane, where lanes [begin, end) are
/// inside of it, and stand in a row from `to` on. An edge's vector would reach beyond the plane.
struct ColumnPiece {
  std::ptrdiff_t from;
  std::int16_t to;
  std::int8_t begin, end;
  bool edge;
};

/// Floats for the pieces of all taps of a tile: a run of one column is a piece, too.
constexpr std::size_t piece_floats(const Correlation& c) {
  return static_cast<std::size_t>(c.taps()) * kTilePanels * kPanelColumns * (sizeof(ColumnPiece) / sizeof(float));
}

/// Floats of scratch for each thread.
constexpr std::size_t correlation_scratch(const Correlation& c) {
  const std::size_t columns = static_cast<std::size_t>(kTilePanels) * kPanelColumns;
  const auto depth = static_cast<std::size_t>(c.depth() < kCorrelationDepth ? c.depth() : kCorrelationDepth);
  const std::size_t partial = c.depth() > kCorrelationDepth ? left_panel_floats(c.out_channels, 1) * columns : 0;
  return depth * columns + kTilePanels * kPanelColumns + partial + piece_floats(c);
}

/// Where rows are cut into parts, each would pack the same columns; so that all of them are packed once, for all threads, if
/// they take no more than this.
inline constexpr std::size_t kMostSharedColumns = std::size_t{1} << 20;
inline constexpr int kMostPartedTiles = 7;  // of CorrelationTiles with row_parts > 1

constexpr std::size_t column_floats(const Correlation& c, int panels) {
  return static_cast<std::size_t>(panels) * static_cast<std::size_t>(right_panel_stride(c.depth()));
}
constexpr bool shares_columns(const Correlation& c, int batch) {
  const CorrelationTiles tiles(c, batch);
  return c.groups == 1 && tiles.row_parts > 1 && column_floats(c, tiles.panels) <= kMostSharedColumns;
}
/// Floats for them at batches of any size up to `batch`.
constexpr std::size_t shared_columns_scratch(const Correlation& c, int batch) {
  if (c.groups != 1) return 0;
  const int panels = panel_count(c.outputs() * batch, kPanelColumns);
  const std::size_t floats = column_floats(c, panels < kMostPartedTiles * kTilePanels ? panels : kMostPartedTiles * kTilePanels);
  return floats < kMostSharedColumns ? floats : kMostSharedColumns;
}

/// Input channels of a correlation that lie in a map of their own. Of several sources each has the next steps of the depth; only
/// a 1x1 correlation of one group has them, and NB is 1 there.
struct CorrelationSource {
  Loaded map = ConstBlocked();
  int channels = 0;  // of one group
};

/// Packs them into `columns` where shares_columns(c, batch), and returns them; null where each task packs its own. Collective.
const float* share_columns(float* columns, std::span<const CorrelationSource> sources, const Correlation& c, int batch,
                           const Scratch& scratch);

/// Output channels of a correlation that go to a map of their own: `left`, their weights [channels][in_channels * taps] in left
/// panels, and what becomes of their sums.
struct CorrelationTarget {
  Blocked map;
  const float* left = nullptr;
  Epilogue epilogue = {};
  int channels = 0;  // of one group
};

/// Does task `task` of CorrelationTiles(c, batch).tasks(): each target's map = its epilogue(correlation of the sources with its
/// weights). The rows of all targets are cut as one sequence of panels, each target beginning with a panel of its own:
/// c.out_channels counts them so. `columns` is what share_columns() returned.
void correlate_tile(std::span<const CorrelationTarget> targets, std::span<const CorrelationSource> sources, const float* columns,
                    const Correlation& c, int batch, int task, float* scratch);

}  // namespace cnn
