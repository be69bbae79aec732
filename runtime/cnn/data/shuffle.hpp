// The order in which an epoch sees its images: a function of seed and epoch alone, so that any epoch can
// begin anywhere.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cnn/core/types.hpp"

namespace cnn {

/// Names an epoch's order. `epoch` counts from 0 over all phases.
struct Shuffle {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
};

/// Puts `rows` in an order drawn uniformly from all by Fisher and Yates's method, decided by key and stream.
void shuffle_rows(std::span<std::uint32_t> rows, const RandomKey& key, std::uint32_t stream);

/// 0 .. count - 1 in the order of an epoch.
std::vector<std::uint32_t> epoch_order(std::uint32_t count, const Shuffle& shuffle);

}  // namespace cnn
