// The card of `pad`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  ir::Shape shape = context.inputs[0];
  if (shape.flat) return flat_input("pad", shape);
  const auto [height, width] = context.arguments.pair("amount");
  shape.height += 2 * height;
  shape.width += 2 * width;
  return ir::Inferred{.output = shape};
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  const ir::Shape& in = context.inputs[0];
  const auto [height, width] = context.arguments.pair("amount");
  return {{"channels", in.channels},
          {"in_height", in.height},
          {"in_width", in.width},
          {"out_height", context.output.height},
          {"out_width", context.output.width},
          {"pad_top", height},
          {"pad_left", width},
          {"block", context.block}};
}

}  // namespace

ir::OpDef pad_card() {
  using ir::Role;
  return {
      .name = "pad",
      .summary = "Puts zeros around each map.",
      .arguments = {{.name = "amount",
                     .type = ir::ArgumentType::kPair,
                     .default_value = {},
                     .summary = "Zeros on each side: 1, or 0x3 for 0 above and below and 3 left and right.",
                     .positional = true,
                     .minimum = 0,
                     .maximum = 1 << 16}},
      .traits = {},
      .infer = infer,
      .geometry_type = "PadGeometry",
      .geometry = geometry,
      .training = {.forward = {"pad", {Role::kOutput, Role::kInputs, Role::kGeometry, Role::kBatch}},
                   .backward_input =
                       ir::CallDef{"pad_backward_input",
                                   {Role::kDInput, Role::kDOutput, Role::kGeometry, Role::kBatch}},
                   .backward_params = {}},
      .onnx = [](const ir::OpContext& context) -> ir::OnnxForm {
        const auto [height, width] = context.arguments.pair("amount");
        return {.nodes = {{"Pad", {"input0", "amount"}, "output"}},
                .constants = {ir::onnx_shape("amount", {0, 0, height, width, 0, 0, height, width})}};
      },
  };
}

}  // namespace cnnc::ops
