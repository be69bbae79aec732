// The card of `avgpool`.
#include "ops/cards.hpp"
#include "ops/window.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  return infer_pool("avgpool", context);
}

}  // namespace

ir::OpDef avgpool_card() {
  using ir::Role;
  ir::OpDef card = pool_card("avgpool", "The mean of each window.", infer);
  card.arguments.push_back({.name = "count_include_pad",
                            .type = ir::ArgumentType::kBoolean,
                            .default_value = ir::Value{true},
                            .summary = "Whether padding counts in the divisor; with pad=same_tf it never does, as in TensorFlow."});
  card.training = {.forward = {"avgpool", {Role::kOutput, Role::kInputs, Role::kGeometry, Role::kBatch}},
                   .backward_input = ir::CallDef{"avgpool_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kGeometry, Role::kBatch}},
                   .backward_params = {}};
  return card;
}

}  // namespace cnnc::ops
