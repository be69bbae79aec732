// The card of `gap`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  if (context.inputs[0].flat) return flat_input("gap", context.inputs[0]);
  return ir::Inferred{.output = {.channels = context.inputs[0].channels, .flat = true}};
}

}  // namespace

ir::OpDef gap_card() {
  using ir::Role;
  return {
      .name = "gap",
      .summary = "Global average pooling: the mean of each channel, as a flat list.",
      .arguments = {},
      .traits = {},
      .infer = infer,
      .geometry_type = kMapGeometry,
      .geometry = map_geometry,
      .training = {.forward = {"gap", {Role::kOutput, Role::kLoaded, Role::kGeometry, Role::kBatch}},
                   .backward_input = ir::CallDef{"gap_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kGeometry, Role::kBatch}},
                   .backward_params = {}},
      .onnx =
          [](const ir::OpContext&) -> ir::OnnxForm {
            return {.nodes = {{"GlobalAveragePool", {"input0"}, "means"},
                              {"Flatten", {"means"}, "output", {{"axis", std::int64_t{1}}}}}};
          },
  };
}

}  // namespace cnnc::ops
