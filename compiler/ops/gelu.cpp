// The card of `gelu`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef gelu_card() {
  return input_activation_card("gelu", "gelu_backward_input",
                               "Each element times the normal distribution up to it: x / 2 * (1 + erf(x / "
                               "sqrt(2))), exact as PyTorch has it.");
}

}  // namespace cnnc::ops
