// Numbers are drawn four at a time, as Philox makes them.
#include "cnn/training/initialize.hpp"

#include <algorithm>
#include <string_view>

#include "cnn/core/random.hpp"

namespace cnn {
namespace {

constexpr std::uint32_t kStream = 0xffff0000;

/// FNV-1a (Fowler, Noll and Vo). The top bit keeps the numbers apart from those of training steps, which
/// count from 0.
std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  return hash | std::uint64_t{1} << 63;
}

void fill_uniform(Floats values, const RandomKey& key, float bound) {
  const auto quads = static_cast<std::int64_t>((values.size() + 3) / 4);
#pragma omp parallel for schedule(static)
  for (std::int64_t quad = 0; quad < quads; ++quad) {
    const PhiloxCounter words = random_words(key, kStream, static_cast<std::uint32_t>(quad));
    const std::size_t begin = static_cast<std::size_t>(quad) * 4;
    const std::size_t count = std::min<std::size_t>(4, values.size() - begin);
    for (std::size_t i = 0; i < count; ++i) values[begin + i] = (2 * to_uniform(words[i]) - 1) * bound;
  }
}

void fill_normal(Floats values, const RandomKey& key, float deviation) {
  const auto count = static_cast<std::int64_t>(values.size());
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i)
    values[static_cast<std::size_t>(i)] = normal(key, kStream, static_cast<std::uint64_t>(i)) * deviation;
}

}  // namespace

void initialize_tensor(const TensorDescription& tensor, std::uint64_t seed, Floats values) {
  const RandomKey key{seed, hash_name(tensor.name)};
  switch (tensor.initial) {
    case InitialValues::kConstant:
      std::fill(values.begin(), values.end(), tensor.value);
      break;
    case InitialValues::kUniform:
      fill_uniform(values, key, tensor.value);
      break;
    case InitialValues::kNormal:
      fill_normal(values, key, tensor.value);
      break;
  }
}

void initialize(Network& network, std::uint64_t seed) {
  const auto tensors = network.description().tensors;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    initialize_tensor(tensors[i], seed, network.tensor(static_cast<int>(i)));
}

}  // namespace cnn
