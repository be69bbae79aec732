// The shape of packed panels: a left panel has kPanelRows rows of a matrix, a right one kPanelColumns columns; both are
// stored step by step of the depth, so that the innermost loop of convolutions reads them straight on.
#pragma once

#include <cstddef>

namespace cnn {

inline constexpr int kPanelRows = 6;  // with kPanelColumns: 12 sums of eight, 2 operands and a broadcast fill 15 registers
inline constexpr int kPanelColumns = 16;

constexpr int panel_count(int count, int panel) { return (count + panel - 1) / panel; }

/// Floats of a matrix [rows][depth] in left panels.
constexpr std::size_t left_panel_floats(int rows, int depth) {
  return static_cast<std::size_t>(panel_count(rows, kPanelRows)) * kPanelRows * static_cast<std::size_t>(depth);
}

}  // namespace cnn
