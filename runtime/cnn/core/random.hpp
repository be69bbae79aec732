// Counter-based random numbers: a number is a pure function of its key, stream and element, so it can be made
// again by any thread, in any order. Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1,
// 2, 3" (SC 2011).
#pragma once

#include <array>
#include <cstdint>

#include "cnn/core/types.hpp"

namespace cnn {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Four random words for a counter: Philox4x32 with 10 rounds.
constexpr PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {
        static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(second),
        static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(first)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// The words of elements 4 * quad .. 4 * quad + 3; a stream has 2^34 elements.
constexpr PhiloxCounter random_words(const RandomKey& key, std::uint32_t stream, std::uint32_t quad) {
  return philox(
      {quad, stream, static_cast<std::uint32_t>(key.step), static_cast<std::uint32_t>(key.step >> 32)},
      {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)});
}

/// A multiple of 2^-24 in [0, 1).
constexpr float to_uniform(std::uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-24f;
}

/// Uniform in [0, 1). Kernels that need neighbours take four at a time from random_words().
constexpr float uniform(const RandomKey& key, std::uint32_t stream, std::uint64_t element) {
  return to_uniform(random_words(key, stream, static_cast<std::uint32_t>(element / 4))[element % 4]);
}

/// Normal with mean 0 and variance 1, by Box and Muller (1958). Takes words of the same stream as uniform()
/// does.
float normal(const RandomKey& key, std::uint32_t stream, std::uint64_t element);

}  // namespace cnn
