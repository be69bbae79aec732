// The card of `flatten`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  return ir::Inferred{.output = {.channels = context.inputs[0].elements(), .flat = true}};
}

// [C][H][W] with one image or sixteen innermost: the order of features already.
bool is_view(const ir::OpContext&) {
  return true;
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
