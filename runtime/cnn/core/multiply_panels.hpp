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

/// Those of kRows left panels by kColumns right ones.
template <int kRows, int kColumns>
struct ManyPanelSums {
  PanelSums of[kRows][kColumns];
};

/// Floats from one panel to the next, and from one step of the depth to the next.
struct PanelSteps {
  std::ptrdiff_t left_panel = 0, right_panel = 0;
  std::ptrdiff_t left = kPanelRows, right = kPanelColumns;
};

/// Asks for lines of the left panels behind these while these are multiplied, which is when all of them come out of memory: the processor
/// sees such a stream too late. Two steps are less than a line.
template <int kRows>
[[gnu::always_inline]] inline void ask_for_next(const float* left, int step, const PanelSteps& steps) {
  if (step % 2 != 0) return;
  for (int j = 0; j < kRows; ++j) __builtin_prefetch(left + (kRows + j) * steps.left_panel, 0, 2);
}

#if defined(__AVX512F__)

/// Panels that are multiplied at a time. Cores with two units for registers of sixteen start eight products before the sum of the first
/// is there, and one pair of panels has six.
inline constexpr int kPanelsAtOnce = 2;

/// kRows left panels [depth][kPanelRows] by kColumns right ones [depth][kPanelColumns]; kAsks: the next left ones are asked for
/// meanwhile. A row of sums is one register: the same additions in the same order as in two halves, with half as many instructions.
template <int kRows, int kColumns, bool kAsks = false>
[[gnu::always_inline]] inline ManyPanelSums<kRows, kColumns> multiply_panels(const float* __restrict left, const float* __restrict right,
                                                                             int depth, const PanelSteps& steps) {
  using Row = float __attribute__((vector_size(64)));
  using UnalignedRow = float __attribute__((vector_size(64), aligned(4), may_alias));
  Row sums[kRows][kColumns][kPanelRows] = {};
#pragma GCC unroll 4
  for (int step = 0; step < depth; ++step) {
    if constexpr (kAsks) ask_for_next<kRows>(left, step, steps);
    Row columns[kColumns];
    for (int i = 0; i < kColumns; ++i) columns[i] = *reinterpret_cast<const UnalignedRow*>(right + i * steps.right_panel);
    for (int j = 0; j < kRows; ++j) {
#pragma GCC unroll 6
      for (int row = 0; row < kPanelRows; ++row) {
        Row factor = left[j * steps.left_panel + row] - Row{};
        if (kColumns > 1) asm("" : "+v"(factor));  // loaded once: loads are what this loop is short of
        for (int i = 0; i < kColumns; ++i) sums[j][i][row] += factor * columns[i];
      }
    }
    left += steps.left;
    right += steps.right;
  }
  ManyPanelSums<kRows, kColumns> result;
  for (int j = 0; j < kRows; ++j) {
    for (int i = 0; i < kColumns; ++i) {
#pragma GCC unroll 6
      for (int row = 0; row < kPanelRows; ++row) {
        const Row all = sums[j][i][row];
        result.of[j][i].rows[row][0] = __builtin_shufflevector(all, all, 0, 1, 2, 3, 4, 5, 6, 7);
        result.of[j][i].rows[row][1] = __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15);
      }
    }
  }
  return result;
}

#elif defined(__AVX__)

inline constexpr int kPanelsAtOnce = 1;

/// A left panel [depth][kPanelRows] by a right one [depth][kPanelColumns].
template <int kRows, int kColumns, bool kAsks = false>
[[gnu::always_inline]] inline ManyPanelSums<kRows, kColumns> multiply_panels(const float* __restrict left, const float* __restrict right,
                                                                             int depth, const PanelSteps& steps) {
  static_assert(kRows == kPanelsAtOnce && kColumns == kPanelsAtOnce);
  PanelSums sums = {};
#pragma GCC unroll 4
  for (int step = 0; step < depth; ++step) {
    if constexpr (kAsks) ask_for_next<kRows>(left, step, steps);
    const Vector first = load(right);
    const Vector second = load(right + kLanes);
#pragma GCC unroll 6
    for (int row = 0; row < kPanelRows; ++row) {
      sums.rows[row][0] += left[row] * first;
      sums.rows[row][1] += left[row] * second;
    }
    left += steps.left;
    right += steps.right;
  }
  return {{{sums}}};
}

#else

inline constexpr int kPanelsAtOnce = 1;

/// The same in the four lanes that the processor has: GCC keeps a vector of eight in memory there, and a factor for all of its
/// lanes is written lane by lane and read as a whole, which took ten times as long.
template <int kRows, int kColumns, bool kAsks = false>
[[gnu::always_inline]] inline ManyPanelSums<kRows, kColumns> multiply_panels(const float* __restrict left, const float* __restrict right,
                                                                             int depth, const PanelSteps& steps) {
  static_assert(kRows == kPanelsAtOnce && kColumns == kPanelsAtOnce);
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
    left += steps.left;
    right += steps.right;
  }
  PanelSums result;
  static_assert(sizeof result == sizeof sums);
  std::memcpy(&result, sums, sizeof result);
  return {{{result}}};
}

#endif

/// Calls visit.operator()<count>(first) for panels [begin, end), kMost or fewer at a time.
template <int kMost = kPanelsAtOnce, class Visit>
[[gnu::always_inline]] inline void for_each_panels(int begin, int end, Visit&& visit) {
  for (; begin + kMost <= end; begin += kMost) visit.template operator()<kMost>(begin);
  if constexpr (kMost > 1) for_each_panels<kMost - 1>(begin, end, visit);
}

/// Calls visit.operator()<rows, columns>(row, column) for all pairs of left panels [row_begin, row_end) and `columns` right ones, as many
/// at a time as are multiplied at once; all rows for a column, one after the other.
template <class Visit>
[[gnu::always_inline]] inline void for_each_product(int row_begin, int row_end, int columns, Visit&& visit) {
  for_each_panels(0, columns, [&]<int kColumns>(int column) {
    for_each_panels<kPanelsAtOnce / kColumns>(row_begin, row_end, [&]<int kRows>(int row) { visit.template operator()<kRows, kColumns>(row, column); });
  });
}

/// Sums that wait in memory [kPanelRows][kPanelColumns] for more of their depth.
[[gnu::always_inline]] inline void keep(float* to, const PanelSums& sums) {
#pragma GCC unroll 6
  for (int i = 0; i < kPanelRows; ++i) {
    store(to + i * kPanelColumns, sums.rows[i][0]);
    store(to + i * kPanelColumns + kLanes, sums.rows[i][1]);
  }
}
[[gnu::always_inline]] inline void add_kept(PanelSums& sums, const float* from) {
#pragma GCC unroll 6
  for (int i = 0; i < kPanelRows; ++i) {
    sums.rows[i][0] += load(from + i * kPanelColumns);
    sums.rows[i][1] += load(from + i * kPanelColumns + kLanes);
  }
}

/// Six lanes, as one step of a left panel.
inline void store_rows(float* to, Vector value) {
  *reinterpret_cast<UnalignedFour*>(to) = __builtin_shufflevector(value, value, 0, 1, 2, 3);
  to[4] = value[4];
  to[5] = value[5];
}

}  // namespace cnn
