// The card of `add`.
#include "ops/cards.hpp"
#include "ops/map.hpp"
#include "support/messages.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  for (std::size_t arm = 1; arm < context.inputs.size(); ++arm) {
    if (context.inputs[arm] == context.inputs[0]) continue;
    ir::Mistake found = ir::mistake(messages::kBranchesDisagree, "", "add", to_text(context.inputs[0]),
                                    to_text(context.inputs[arm]));
    found.input = static_cast<int>(arm);
    return found;
  }
  return ir::Inferred{.output = context.inputs[0]};
}

}  // namespace

ir::OpDef add_card() {
  using ir::Role;
  return {
      .name = "add",
      .summary = "The sum of its branches, which have the same shape.",
      .arguments = {},
      .traits = {.merge = true, .sums = true, .passes_gradient = true},
      .infer = infer,
      .geometry_type = kMapGeometry,
      .geometry = map_geometry,
      .training = {.forward = {"add", {Role::kOutput, Role::kLoaded, Role::kActivation, Role::kGeometry, Role::kBatch}},
                   .backward_input = {},
                   .backward_params = {}},
      .onnx =
          [](const ir::OpContext& context) -> ir::OnnxForm {
            ir::OnnxNode sum{"Sum", {}, "output"};
            for (std::size_t i = 0; i < context.inputs.size(); ++i) sum.inputs.push_back(fmt::format("input{}", i));
            return {.nodes = {std::move(sum)}};
          },
  };
}

}  // namespace cnnc::ops
