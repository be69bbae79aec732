// The inner loop of convolutions and dense layers on lanes: weights, each in all lanes, times elements of sixteen images.
// For kernels' sources only.
#pragma once

#include <utility>

#include "cnn/ops/lanes/lanes.hpp"

namespace cnn::lanes {

/// Sums that are made together: with two vectors each and their operands they fill 16 registers.
inline constexpr int kMostRows = 6;

/// `count` products for each row: `source` and `weight` are the first, the steps lead to the next, `row` from one row's
/// weights to those of the next.
struct ProductRun {
  const float* source;
  const float* weight;
  std::ptrdiff_t source_step, weight_step, row;
  int count;
};

/// sums[r] += the run's weights of row r times its elements.
template <int kRows>
[[gnu::always_inline]] inline void add_products(Images (&sums)[kRows], const ProductRun& run) {
  const float* source = run.source;
  const float* weight = run.weight;
  for (int i = 0; i < run.count; ++i) {
    const Images element = load_images(source);
#pragma GCC unroll 6
    for (int row = 0; row < kRows; ++row) {
      const float factor = weight[row * run.row];
      sums[row].low += factor * element.low;
      sums[row].high += factor * element.high;
    }
    source += run.source_step;
    weight += run.weight_step;
  }
}

/// Calls `work(std::integral_constant rows, first)` for rows [0, count) in tiles as even as can be.
template <class Work>
void for_each_row_tile(int count, Work&& work) {
  const int tiles = (count + kMostRows - 1) / kMostRows;
  for (int tile = 0; tile < tiles; ++tile) {
    const int first = static_cast<int>(static_cast<std::ptrdiff_t>(count) * tile / tiles);
    const int last = static_cast<int>(static_cast<std::ptrdiff_t>(count) * (tile + 1) / tiles);
    [&]<int... kRows>(std::integer_sequence<int, kRows...>) {
      ((last - first == kRows + 1 ? work(std::integral_constant<int, kRows + 1>(), first) : void()), ...);
    }(std::make_integer_sequence<int, kMostRows>());
  }
}

/// Sums that begin with a row's bias each; 0 without.
template <int kRows>
[[gnu::always_inline]] inline void begin_sums(Images (&sums)[kRows], const float* bias) {
#pragma GCC unroll 6
  for (int row = 0; row < kRows; ++row) {
    const Vector begin = broadcast(bias != nullptr ? bias[row] : 0.0f);
    sums[row] = {begin, begin};
  }
}

/// Rows `distance` apart. Unrolled, as the other loops here: what is indexed by a variable can't be a register.
template <int kRows>
[[gnu::always_inline]] inline void store_rows(float* to, std::ptrdiff_t distance, const Images (&sums)[kRows]) {
#pragma GCC unroll 6
  for (int row = 0; row < kRows; ++row) store_images(to + row * distance, sums[row]);
}

}  // namespace cnn::lanes
