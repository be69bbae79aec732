// The card of `silu`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef silu_card() {
  return input_activation_card(
      "silu", "silu_backward_input",
      "Each element times its logistic function: x / (1 + exp(-x)); also called swish.");
}

}  // namespace cnnc::ops
