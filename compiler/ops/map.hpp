// What layers without weights and windows have in common: one input, the same geometry, often the same shape.
#pragma once

#include <vector>

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// The output has the input's shape.
ir::Inference infer_same_shape(const ir::OpContext& context);

/// cnn::MapGeometry of the input.
inline constexpr std::string_view kMapGeometry = "MapGeometry";
std::vector<ir::GeometryField> map_geometry(const ir::OpContext& context);

/// An elementwise activation whose backward pass needs its output only: calls cnn::NAME and cnn::NAME_backward_input.
ir::OpDef activation_card(std::string_view name, std::string_view backward_name, std::string_view summary);

/// The same for one whose backward pass needs its input.
ir::OpDef input_activation_card(std::string_view name, std::string_view backward_name, std::string_view summary);

/// The form of a layer that is one operator of ONNX without attributes.
ir::OnnxForm onnx_operator(std::string_view type);

/// A mistake where a layer needs channels x height x width and got a flat tensor.
ir::Mistake flat_input(std::string_view op, const ir::Shape& input);

}  // namespace cnnc::ops
