// How partial sums of a weight's gradient become one. For conv's sources only.
#pragma once

#include "cnn/core/team.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

/// Adds the slots behind the first, which is d_weight itself, in order. Collective.
inline void merge_slots(Floats d_weight, int slots, const float* others) {
  if (slots == 1) return;
  const auto weights = static_cast<std::ptrdiff_t>(d_weight.size());
  const int tiles = static_cast<int>((weights + kTileElements - 1) / kTileElements);
  for_each_tile(tiles, [&](int tile) {
    const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(tile) * kTileElements;
    const std::ptrdiff_t end = std::min(begin + kTileElements, weights);
    for (int slot = 1; slot < slots; ++slot) {
      const float* __restrict from = others + (slot - 1) * weights;
      float* __restrict to = d_weight.data();
      for (std::ptrdiff_t i = begin; i < end; ++i) to[i] += from[i];
    }
  });
}

}  // namespace cnn
