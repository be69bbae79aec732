// Windows that slide over a map: the arithmetic that convolutions and pools share.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// One axis of a sliding window. `out` positions; `pad` before the first element.
struct WindowAxis {
  std::int64_t kernel = 1, stride = 1, pad = 0, dilation = 1, out = 0;
};
struct Window {
  WindowAxis height, width;
};

/// The arguments `stride`, `pad` (and `dilation` where `dilated`), after the kernel.
void add_window_arguments(ir::OpDef& card, bool dilated);

/// The window of a layer on `input`; `stride` is the kernel where the argument is absent (pools).
/// out = floor((in + 2 pad - dilation (kernel - 1) - 1) / stride) + 1; with `ceil`, rounded up, and the last window must
/// begin inside the input or its left padding, as in PyTorch. `pad=same_tf`: out = ceil(in / stride), and the padding is
/// what that needs, the smaller half before the input, as TensorFlow's SAME; what is behind follows from `out`.
std::variant<Window, ir::Mistake> window(std::string_view op, const ir::Shape& input, const ir::ArgumentValues& arguments);

/// A window as the attributes kernel_shape, strides and pads of ONNX, and dilations where `dilated`. The padding behind the
/// input is what the last window reaches, so that rounding up and TensorFlow's rule need no attribute of their own.
std::vector<ir::OnnxAttribute> onnx_window(const ir::Shape& input, const Window& window, bool dilated);

/// The card's common part of maxpool and avgpool: arguments, shape and geometry.
ir::OpDef pool_card(std::string_view name, std::string_view summary, ir::Inference (*infer)(const ir::OpContext&));
/// Whether padding counts in an average.
bool counts_padding(const ir::OpContext& context);
/// cnn::PoolGeometry of a pool on its input.
std::vector<ir::GeometryField> pool_geometry(const ir::OpContext& context);
ir::Inference infer_pool(std::string_view op, const ir::OpContext& context);

}  // namespace cnnc::ops
