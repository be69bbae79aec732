// The columns of a tile for kernels whose taps overlap along a row: what all taps of a row read is loaded once, padding included, and
// each tap's columns are stretches of it. For conv's sources only.
#pragma once

#include "cnn/ops/conv/tile_columns.hpp"

namespace cnn {

/// A strip for each run of outputs: the places of one row of a channel's plane that any tap of the row reads, those of each phase of
/// the stride together. With a stride of 2 odd places lie behind even ones, so that a tap's columns follow each other.
class ColumnStrips {
 public:
  /// Whether there is something to share, and `floats` of memory are enough.
  static bool fit(const TileColumns& columns, const Correlation& c, std::size_t floats);

  /// `memory` has as many floats as fit() was asked for.
  ColumnStrips(const TileColumns& columns, const Correlation& c, float* memory);

  /// row [kRowFloats]: the map's channel `channel` and tap of all columns, mapped as the source is loaded. Taps of a row that follow
  /// each other share its strips.
  void gather(float* row, const Loaded& source, int channel, int tap);

 private:
  static constexpr int kMostPhases = 4;

  // A run's strips: where the first tap reads, and which places of each phase are inside of the row.
  struct Strip {
    int first, places;
    std::int16_t begin[kMostPhases], end[kMostPhases];
  };

  void load_strips(const Loaded& source, int channel, int tap_row);

  const TileColumns& columns_;
  const Correlation& c_;
  const int phases_;
  float* memory_;
  int channel_ = -1, tap_row_ = -1;  // of what is in memory
  Strip strips_[kTileColumns];       // of the runs
};

}  // namespace cnn
