// What conv and dwconv have in common: their geometry, and which kernels run them.
#pragma once

#include "ops/window.hpp"

namespace cnnc::ops {

/// cnn::ConvGeometry of a convolution in `groups` groups.
std::vector<ir::GeometryField> conv_geometry(const ir::OpContext& context, std::int64_t groups);

/// The convolution in ONNX with weights called `weight`, and a bias where the layer has one.
ir::OnnxNode onnx_convolution(const ir::OpContext& context, std::int64_t groups, std::string weight);

/// Adds the calls of cnn::dwconv and the scratch they need: for convolutions whose groups have one input
/// channel each.
void call_depthwise(ir::OpDef& card);

/// Gives a call the plain operands of the same layer: for kernels that do nothing on the way as they load and store.
void take_stored(ir::CallDef& call);

/// The window of a convolution that may be joined.
Window convolution_window(const ir::JoinedLayer& layer);
/// Whether a layer is a convolution of all channels with all, which takes prepared weights, outside of lanes.
bool is_whole_convolution(const ir::JoinedLayer& layer);
/// Whether a convolution is 1x1, and its columns are the input itself.
bool is_pointwise(const ir::JoinedLayer& layer);

}  // namespace cnnc::ops
