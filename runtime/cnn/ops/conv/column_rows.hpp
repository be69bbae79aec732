// Rows of the matrix of a tile's columns: one for each channel and tap, gathered in the way that suits the kernel. For conv's sources only.
#pragma once

#include <optional>

#include "cnn/ops/conv/column_strips.hpp"

namespace cnn {

class ColumnRows {
 public:
  /// `table` has piece_floats(c) floats.
  ColumnRows(const TileColumns& columns, const Correlation& c, float* table);

  /// row [kRowFloats]: the map's channel `channel` and tap of all columns, mapped as the source is loaded. Quickest in order.
  void gather(float* row, const Loaded& source, int channel, int tap);

 private:
  std::optional<ColumnStrips> strips_;
  std::optional<ColumnPieces> pieces_;
};

/// Packs steps [begin, end) of the depth of all columns as right panels `stride` apart.
void pack_columns(float* right, std::ptrdiff_t stride, const Loaded& source, const TileColumns& columns, ColumnRows& rows,
                  const Correlation& c, int begin, int end);

}  // namespace cnn
