// The card of `identity`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef identity_card() {
  return {
      .name = "identity",
      .summary = "Passes its input on: the skip branch of a merge, or no activation.",
      .arguments = {},
      .traits = {.view = true, .identity_in_inference = true},
      .infer = infer_same_shape,
      .training = {},
      .is_view = [](const ir::OpContext&) { return true; },
  };
}

}  // namespace cnnc::ops
