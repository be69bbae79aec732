// The card of `mul`.
#include "ops/cards.hpp"
#include "ops/map.hpp"
#include "support/messages.hpp"

namespace cnnc::ops {

namespace {

constexpr std::size_t kMostBranches = 8;  // cnn::kMostFactors

// Whether an arm is one number a channel beside maps of `shape`.
bool scales(const ir::Shape& arm, const ir::Shape& shape) {
  return arm != shape && arm.channels == shape.channels && arm.height * arm.width == 1;
}

// The largest arm; of a flat one and one of 1x1 the latter.
ir::Shape output_of(const ir::OpContext& context) {
  ir::Shape largest = context.inputs[0];
  for (const ir::Shape& arm : context.inputs) {
    const bool larger = arm.height * arm.width > largest.height * largest.width;
    if (larger || scales(largest, arm)) largest = arm;
  }
  return largest;
}

ir::Inference infer(const ir::OpContext& context) {
  if (context.inputs.size() > kMostBranches) {
    return ir::mistake(messages::kTooManyBranches, "", "mul", kMostBranches, context.inputs.size());
  }
  const ir::Shape output = output_of(context);
  for (std::size_t arm = 0; arm < context.inputs.size(); ++arm) {
    const ir::Shape& shape = context.inputs[arm];
    if (shape == output || scales(shape, output)) continue;
    ir::Mistake found = ir::mistake(messages::kBranchesDisagree, "", "mul", to_text(output), to_text(shape));
    found.input = static_cast<int>(arm);
    found.help = "branches of 'mul' have the same shape, or one number a channel";
    return found;
  }
  return ir::Inferred{.output = output};
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  std::vector<std::int64_t> scaling;
  for (const ir::Shape& arm : context.inputs) scaling.push_back(scales(arm, context.output) ? 1 : 0);
  return {{"channels", context.output.channels},
          {"height", context.output.height},
          {"width", context.output.width},
          {"block", context.block},
          {"scales", std::move(scaling)}};
}

// Arms that scale become [batch, channels, 1, 1].
ir::OnnxForm onnx(const ir::OpContext& context) {
  ir::OnnxForm form;
  form.constants.push_back(ir::onnx_shape("axes", {2, 3}));
  std::string product;
  for (std::size_t arm = 0; arm < context.inputs.size(); ++arm) {
    std::string factor = fmt::format("input{}", arm);
    if (context.inputs[arm].flat && !context.output.flat) {
      form.nodes.push_back({"Unsqueeze", {factor, "axes"}, factor + "_of_channels"});
      factor += "_of_channels";
    }
    if (arm > 0) {
      const std::string next = arm + 1 == context.inputs.size() ? "output" : fmt::format("product{}", arm);
      form.nodes.push_back({"Mul", {product, factor}, next});
      factor = next;
    }
    product = std::move(factor);
  }
  return form;
}

}  // namespace

ir::OpDef mul_card() {
  using ir::Role;
  return {
      .name = "mul",
      .summary =
          "The product of its branches, element by element; a branch of one number a channel, flat or 1x1, "
          "scales the "
          "channels of the others (squeeze-and-excitation).",
      .arguments = {},
      .traits = {.merge = true},
      .infer = infer,
      .geometry_type = "MulGeometry",
      .geometry = geometry,
      .training = {.forward = {"mul", {Role::kOutput, Role::kInputs, Role::kGeometry, Role::kBatch}},
                   .backward_input = ir::CallDef{"mul_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kInputs,
                                                  Role::kInputNumber, Role::kGeometry, Role::kBatch}},
                   .backward_params = {}},
      .onnx = onnx,
  };
}

}  // namespace cnnc::ops
