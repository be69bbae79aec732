// Depthwise convolutions that are one kernel with the convolutions around them.
#pragma once

#include <optional>
#include <span>

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// cnn::separable or cnn::inverted_residual for a depthwise convolution with a 1x1 convolution behind it, and perhaps a convolution before it;
/// nothing for other layers, and where keeping the maps between them in a cache gains nothing.
std::optional<ir::JoinedKernel> separable_chain(std::span<const ir::JoinedLayer> links);

}  // namespace cnnc::ops
