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

#if defined(__AVX512F__)

/// left [depth][kPanelRows] by right [depth][kPanelColumns], whose steps may lie further apart. A row of sums is one register: the same
/// additions in the same order as in two halves, with half as many instructions.
[[gnu::always_inline]] inline PanelSums multiply_panels(const float* __restrict left, const float* __restrict right, int depth,
                                                        std::ptrdiff_t left_step = kPanelRows,
                                                        std::ptrdiff_t right_step = kPanelColumns) {
  using Row = float __attribute__((vector_size(64)));
  using UnalignedRow = float __attribute__((vector_size(64), aligned(4), may_alias));
  Row sums[kPanelRows] = {};
#pragma GCC unroll 4
  for (int step = 0; step < depth; ++step) {
    const Row columns = *reinterpret_cast<const UnalignedRow*>(right);
#pragma GCC unroll 6
    for (int row = 0; row < kPanelRows; ++row) sums[row] += left[row] * columns;
    left += left_step;
    right += right_step;
  }
  PanelSums result;
#pragma GCC unroll 6
  for (int row = 0; row < kPanelRows; ++row) {
    result.rows[row][0] = __builtin_shufflevector(sums[row], sums[row], 0, 1, 2, 3, 4, 5, 6, 7);
    result.rows[row][1] = __builtin_shufflevector(sums[row], sums[row], 8, 9, 10, 11, 12, 13, 14, 15);
  }
  return result;
}

#elif defined(__AVX__)

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
