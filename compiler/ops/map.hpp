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

/// An argument's number, or `value` where there is none: `act=` passes an activation no arguments.
double number_or(const ir::ArgumentValues& arguments, std::string_view name, double value);

/// A mistake where a layer needs channels x height x width and got a flat tensor.
ir::Mistake flat_input(std::string_view op, const ir::Shape& input);

}  // namespace cnnc::ops
