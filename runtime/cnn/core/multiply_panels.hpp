// Products of packed panels: the innermost loop of convolutions. For kernels' sources only.
#pragma once

#include "cnn/core/panels.hpp"
#include "cnn/core/vector.hpp"

namespace cnn {

/// [kPanelRows][kPanelColumns] sums in registers.
struct PanelSums {
  Vector rows[kPanelRows][2];
};

/// left [depth][kPanelRows] by right [depth][kPanelColumns].
[[gnu::always_inline]] inline PanelSums multiply_panels(const float* __restrict left, const float* __restrict right,
                                                        int depth) {
  PanelSums sums = {};
#pragma GCC unroll 4
  for (int step = 0; step < depth; ++step) {
    const Vector first = load(right);
    const Vector second = load(right + kLanes);
#pragma GCC unroll 6
    for (int row = 0; row < kPanelRows; ++row) {
      sums.rows[row][0] += left[row] * first;
      sums.rows[row][1] += left[row] * second;
    }
    left += kPanelRows;
    right += kPanelColumns;
  }
  return sums;
}

/// Six lanes, as one step of a left panel.
inline void store_rows(float* to, Vector value) {
  using Four = float __attribute__((vector_size(16), aligned(4), may_alias));
  *reinterpret_cast<Four*>(to) = __builtin_shufflevector(value, value, 0, 1, 2, 3);
  to[4] = value[4];
  to[5] = value[5];
}

}  // namespace cnn
