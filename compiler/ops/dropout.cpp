// The card of `dropout`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  const ir::Shape& shape = context.inputs[0];
  return {{"channels", shape.channels}, {"height", shape.height}, {"width", shape.width}, {"block", context.block},
          {"rate", context.arguments.number("rate")}, {"stream", context.stream}};
}

}  // namespace

ir::OpDef dropout_card() {
  using ir::Role;
  return {
      .name = "dropout",
      .summary = "In training sets each element to 0 with probability `rate` and scales the others by 1 / (1 - rate).",
      .arguments = {{.name = "rate",
                     .type = ir::ArgumentType::kNumber,
                     .default_value = ir::Value{0.5},
                     .summary = "The probability that an element is dropped.",
                     .positional = true,
                     .minimum = 0,
                     .maximum = 1}},
      .traits = {.elementwise = true, .random = true, .identity_in_inference = true},
      .infer = infer_same_shape,
      .geometry_type = "DropoutGeometry",
      .geometry = geometry,
      .training = {.forward = {"dropout", {Role::kOutput, Role::kInputs, Role::kGeometry, Role::kBatch, Role::kRandom}},
                   .backward_input = ir::CallDef{"dropout_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kGeometry, Role::kBatch, Role::kRandom}},
                   .backward_params = {}},
  };
}

}  // namespace cnnc::ops
