// The values that a model begins with.
#pragma once

#include <cstdint>

#include "cnn/network/network.hpp"

namespace cnn {

/// Sets every tensor as its description says: a constant, U(-value, value) or N(0, value^2). A number depends
/// on the seed, its tensor's name and its place there, and on nothing else: neither on threads nor on the
/// model's other layers.
void initialize(Network& network, std::uint64_t seed);

/// One tensor's numbers, as above.
void initialize_tensor(const TensorDescription& tensor, std::uint64_t seed, Floats values);

}  // namespace cnn
