// The card of `bn`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  const ir::Shape& shape = context.inputs[0];
  const auto channel = [&](std::string_view name, double value, bool statistic) {
    return ir::ParameterDef{name, {shape.channels}, {ir::Initializer::Kind::kConstant, value}, statistic};
  };
  return ir::Inferred{.output = shape,
                      .parameters = {channel("weight", 1, false), channel("bias", 0, false),
                                     channel("running_mean", 0, true), channel("running_var", 1, true)}};
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  const ir::Shape& shape = context.inputs[0];
  return {{"channels", shape.channels}, {"height", shape.height}, {"width", shape.width}, {"block", context.block},
          {"epsilon", context.arguments.number("eps")}, {"decay", context.arguments.number("decay")}};
}

}  // namespace

ir::OpDef bn_card() {
  using ir::Role;
  return {
      .name = "bn",
      .summary = "Batch normalisation (Ioffe & Szegedy 2015): each channel to mean 0 and variance 1, then scaled and shifted.",
      .arguments = {{.name = "eps",
                     .type = ir::ArgumentType::kNumber,
                     .default_value = ir::Value{1e-5},
                     .summary = "Added to the variance.",
                     .minimum = 0},
                    {.name = "decay",
                     .type = ir::ArgumentType::kNumber,
                     .default_value = ir::Value{0.9},
                     .summary = "What a running statistic keeps of its value at each step (PyTorch's 1 - momentum).",
                     .minimum = 0,
                     .maximum = 1}},
      .traits = {.batch_statistics = true},
      .infer = infer,
      .geometry_type = "BnGeometry",
      .geometry = geometry,
      .training = {.forward = {"bn",
                               {Role::kOutput, Role::kSaved, Role::kInputs, Role::kParameters, Role::kStatistics,
                                Role::kActivation, Role::kGeometry, Role::kBatch}},
                   .backward_input = {},
                   .backward_params = ir::CallDef{"bn_backward_params",
                                                  {Role::kDParameters, Role::kDOutput, Role::kInputs, Role::kSaved,
                                                   Role::kActivation, Role::kGeometry, Role::kBatch}},
                   .backward = ir::CallDef{.function = "bn_backward",
                                           .operands = {Role::kDInput, Role::kDParameters, Role::kDOutput, Role::kInputs,
                                                        Role::kSaved, Role::kActivation, Role::kGeometry, Role::kBatch},
                                           .in_place = true,
                                           .accumulates = true},
                   .as_affine = ir::CallDef{"bn_statistics",
                                            {Role::kSaved, Role::kInputs, Role::kParameters, Role::kStatistics,
                                             Role::kGeometry, Role::kBatch}}},
      .inference = ir::Calls{.forward = {"bn_inference",
                                         {Role::kOutput, Role::kInputs, Role::kParameters, Role::kStatistics,
                                          Role::kActivation, Role::kGeometry, Role::kBatch}},
                             .backward_input = ir::CallDef{.function = "bn_inference_backward_input",
                                                           .operands = {Role::kDInput, Role::kDOutput, Role::kParameters,
                                                                        Role::kStatistics, Role::kGeometry, Role::kBatch},
                                                           .in_place = true},
                             .as_affine = ir::CallDef{"bn_affine",
                                                      {Role::kSaved, Role::kParameters, Role::kStatistics, Role::kGeometry}}},
      .saved = [](const ir::OpContext& context) { return ir::SavedSize{.elements = 4 * context.inputs[0].channels}; },
      .onnx =
          [](const ir::OpContext& context) -> ir::OnnxForm {
            return {.nodes = {{"BatchNormalization",
                               {"input0", "weight", "bias", "running_mean", "running_var"},
                               "output",
                               {{"epsilon", context.arguments.number("eps")}}}}};
          },
  };
}

}  // namespace cnnc::ops
