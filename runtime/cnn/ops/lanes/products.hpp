// The inner loop of convolutions and dense layers on lanes: weights, each in all lanes, times elements of sixteen images.
// For kernels' sources only.
#pragma once

#include <utility>

#include "cnn/ops/lanes/lanes.hpp"

namespace cnn::lanes {

#if defined(__AVX512F__)
/// Sums that are made together, of 32 registers: cores with two units for them start eight products before the sum of the first is
/// there. For places side by side each weight is loaded once.
inline constexpr int kMostRows = 12;
inline constexpr int kPlaces = 2;
inline constexpr int kMostRowsOfPlaces = 8;
#else
/// Sums that are made together: with two vectors each and their operands they fill 16 registers.
inline constexpr int kMostRows = 6;
inline constexpr int kPlaces = 1;
inline constexpr int kMostRowsOfPlaces = 6;
#endif

/// `count` products for each row: `source` and `weight` are the first, the steps lead to the next, `row` from one row's
/// weights to those of the next, `place` from one place's elements to those of the next.
struct ProductRun {
  const float* source;
  const float* weight;
  std::ptrdiff_t source_step, weight_step, row;
  int count;
  std::ptrdiff_t place = 0;
};

/// sums[p][r] += the run's weights of row r times its elements of place p.
template <int kCount, int kRows>
[[gnu::always_inline]] inline void add_products(Images (&sums)[kCount][kRows], const ProductRun& run) {
  const float* source = run.source;
  const float* weight = run.weight;
  for (int i = 0; i < run.count; ++i) {
    Images elements[kCount];
#pragma GCC unroll 2
    for (int place = 0; place < kCount; ++place) elements[place] = load_images(source + place * run.place);
#pragma GCC unroll 12
    for (int row = 0; row < kRows; ++row) {
      if constexpr (kCount == 1) {
        sums[0][row] += elements[0] * weight[row * run.row];
      } else {
        const Images factor = loaded_once(all_images(weight[row * run.row]));
#pragma GCC unroll 2
        for (int place = 0; place < kCount; ++place) sums[place][row] += factor * elements[place];
      }
    }
    source += run.source_step;
    weight += run.weight_step;
  }
}

/// Calls `work(std::integral_constant rows, first)` for rows [0, count) in tiles as even as can be, of at most kMost.
template <int kMost, class Work>
void for_each_row_tile(int count, Work&& work) {
  const int tiles = (count + kMost - 1) / kMost;
  for (int tile = 0; tile < tiles; ++tile) {
    const int first = static_cast<int>(static_cast<std::ptrdiff_t>(count) * tile / tiles);
    const int last = static_cast<int>(static_cast<std::ptrdiff_t>(count) * (tile + 1) / tiles);
    [&]<int... kRows>(std::integer_sequence<int, kRows...>) {
      ((last - first == kRows + 1 ? work(std::integral_constant<int, kRows + 1>(), first) : void()), ...);
    }(std::make_integer_sequence<int, kMost>());
  }
}

/// Sums that begin with a row's bias each; 0 without.
template <int kCount, int kRows>
[[gnu::always_inline]] inline void begin_sums(Images (&sums)[kCount][kRows], const float* bias) {
#pragma GCC unroll 12
  for (int row = 0; row < kRows; ++row) {
    const Images begin = all_images(bias != nullptr ? bias[row] : 0.0f);
#pragma GCC unroll 2
    for (int place = 0; place < kCount; ++place) sums[place][row] = begin;
  }
}

/// Rows `distance` apart. Unrolled, as the other loops here: what is indexed by a variable can't be a register.
template <int kRows>
[[gnu::always_inline]] inline void store_rows(float* to, std::ptrdiff_t distance, const Images (&sums)[kRows]) {
#pragma GCC unroll 12
  for (int row = 0; row < kRows; ++row) store_images(to + row * distance, sums[row]);
}

}  // namespace cnn::lanes
