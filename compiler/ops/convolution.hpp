// What conv and dwconv have in common: their geometry, and which kernels run them.
#pragma once

#include "ops/window.hpp"

namespace cnnc::ops {

/// cnn::ConvGeometry of a convolution in `groups` groups.
std::vector<ir::GeometryField> conv_geometry(const ir::OpContext& context, std::int64_t groups);

/// Adds the calls of cnn::dwconv and the scratch they need: for convolutions whose groups have one input
/// channel each.
void call_depthwise(ir::OpDef& card);

}  // namespace cnnc::ops
