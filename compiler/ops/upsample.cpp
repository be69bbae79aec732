// The card of `upsample`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  ir::Shape shape = context.inputs[0];
  if (shape.flat) return flat_input("upsample", shape);
  const auto [vertical, horizontal] = context.arguments.pair("factor");
  shape.height *= vertical;
  shape.width *= horizontal;
  return ir::Inferred{.output = shape};
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  const ir::Shape& in = context.inputs[0];
  const auto [vertical, horizontal] = context.arguments.pair("factor");
  return {{"channels", in.channels}, {"in_height", in.height},   {"in_width", in.width},
          {"vertical", vertical},    {"horizontal", horizontal}, {"block", context.block}};
}

}  // namespace

ir::OpDef upsample_card() {
  using ir::Role;
  return {
      .name = "upsample",
      .summary = "Makes each map larger by repeating its pixels (nearest neighbour).",
      .arguments = {{.name = "factor",
                     .type = ir::ArgumentType::kPair,
                     .default_value = {},
                     .summary =
                         "How often each pixel is repeated: 2, or 1x2 for wider maps of the same height.",
                     .positional = true,
                     .minimum = 1,
                     .maximum = 1 << 10}},
      .traits = {},
      .infer = infer,
      .geometry_type = "UpsampleGeometry",
      .geometry = geometry,
      .training = {.forward = {"upsample", {Role::kOutput, Role::kInputs, Role::kGeometry, Role::kBatch}},
                   .backward_input =
                       ir::CallDef{"upsample_backward_input",
                                   {Role::kDInput, Role::kDOutput, Role::kGeometry, Role::kBatch}},
                   .backward_params = {}},
      .onnx = [](const ir::OpContext& context) -> ir::OnnxForm {
        const auto [vertical, horizontal] = context.arguments.pair("factor");
        return {.nodes = {{"Resize",
                           {"input0", "", "scales"},
                           "output",
                           {{"mode", "nearest"},
                            {"coordinate_transformation_mode", "asymmetric"},
                            {"nearest_mode", "floor"}}}},
                .constants = {{"scales",
                               {4},
                               std::vector<float>{1, 1, static_cast<float>(vertical),
                                                  static_cast<float>(horizontal)}}}};
      },
  };
}

}  // namespace cnnc::ops
