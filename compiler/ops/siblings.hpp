// 1x1 convolutions that read the same map.
#pragma once

#include <optional>
#include <span>

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// cnn::conv_siblings for 1x1 convolutions of one map; nothing for other layers.
std::optional<ir::JoinedKernel> convolution_siblings(std::span<const ir::JoinedLayer> layers, ir::Precision precision);

}  // namespace cnnc::ops
