// The card of `hardswish`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef hardswish_card() {
  return input_activation_card("hardswish", "hardswish_backward_input",
                               "A piecewise silu (Howard et al. 2019): x * min(max(x + 3, 0), 6) / 6.");
}

}  // namespace cnnc::ops
