// The card of `flatten`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  return ir::Inferred{.output = {.channels = context.inputs[0].elements(), .flat = true}};
}

// [C][NB][H][W] and [C * H * W][NB] are the same order where one of NB and H * W is 1.
bool is_view(const ir::OpContext& context) {
  return context.block == 1 || context.inputs[0].height * context.inputs[0].width == 1;
}

}  // namespace

ir::OpDef flatten_card() {
  using ir::Role;
  return {
      .name = "flatten",
      .summary = "Lays channels, rows and columns out as one list of features, in that order.",
      .arguments = {},
      .traits = {.view = true},
      .infer = infer,
      .geometry_type = kMapGeometry,
      .geometry = map_geometry,
      .training = {.forward = {"flatten", {Role::kOutput, Role::kInputs, Role::kGeometry, Role::kBatch}},
                   .backward_input = ir::CallDef{"flatten_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kGeometry, Role::kBatch}},
                   .backward_params = {}},
      .is_view = is_view,
      .onnx =
          [](const ir::OpContext&) -> ir::OnnxForm {
            return {.nodes = {{"Flatten", {"input0"}, "output", {{"axis", std::int64_t{1}}}}}};
          },
  };
}

}  // namespace cnnc::ops
