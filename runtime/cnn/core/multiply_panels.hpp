// Products of packed panels: the innermost loop of convolutions. For kernels' sources only.
#pragma once

#include <cstring>

#include "cnn/core/panels.hpp"
#include "cnn/core/vector.hpp"

namespace cnn {

/// [kPanelRows][kPanelColumns] sums in registers.
struct PanelSums {
  Vector rows[kPanelRows][2];
};

#if defined(__AVX__)

/// left [depth][kPanelRows] by right [depth][kPanelColumns], whose steps may lie further apart.
[[gnu::always_inline]] inline PanelSums multiply_panels(const float* __restrict left, const float* __restrict right, int depth,
                                                        std::ptrdiff_t left_step = kPanelRows,
                                                        std::ptrdiff_t right_step = kPanelColumns) {
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
    left += left_step;
    right += right_step;
  }
  return sums;
}

#else

/// The same in the four lanes that the processor has: GCC keeps a vector of eight in memory there, and a factor for all of its
/// lanes is written lane by lane and read as a whole, which took ten times as long.
[[gnu::always_inline]] inline PanelSums multiply_panels(const float* __restrict left, const float* __restrict right, int depth,
                                                        std::ptrdiff_t left_step = kPanelRows,
                                                        std::ptrdiff_t right_step = kPanelColumns) {
  using Four = float __attribute__((vector_size(16)));
  constexpr int kFours = kPanelColumns / 4;
  Four sums[kPanelRows][kFours] = {};
  for (int step = 0; step < depth; ++step) {
    Four columns[kFours];
    std::memcpy(columns, right, sizeof columns);
#pragma GCC unroll 6
    for (int row = 0; row < kPanelRows; ++row) {
#pragma GCC unroll 4
      for (int i = 0; i < kFours; ++i) sums[row][i] += left[row] * columns[i];
    }
    left += left_step;
    right += right_step;
  }
  PanelSums result;
  static_assert(sizeof result == sizeof sums);
  std::memcpy(&result, sums, sizeof result);
  return result;
}

#endif

/// Six lanes, as one step of a left panel.
inline void store_rows(float* to, Vector value) {
  *reinterpret_cast<UnalignedFour*>(to) = __builtin_shufflevector(value, value, 0, 1, 2, 3);
  to[4] = value[4];
  to[5] = value[5];
}

}  // namespace cnn
