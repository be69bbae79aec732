// Distributions that need the mathematical library.
#include "cnn/core/random.hpp"

#include <cmath>
#include <numbers>

namespace cnn {

float normal(const RandomKey& key, std::uint32_t stream, std::uint64_t element) {
  const PhiloxCounter words = random_words(key, stream, static_cast<std::uint32_t>(element / 4));
  const std::size_t place = element % 4;
  const std::size_t pair = place / 2 * 2;
  const double radius = std::sqrt(-2 * std::log((words[pair] + 0.5) * 0x1p-32));
  const double angle = 2 * std::numbers::pi * (words[pair + 1] * 0x1p-32);
  return static_cast<float>(radius * (place % 2 == 0 ? std::cos(angle) : std::sin(angle)));
}

}  // namespace cnn
