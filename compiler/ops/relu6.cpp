// The card of `relu6`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef relu6_card() {
  return activation_card("relu6", "relu6_backward_input",
                         "Keeps what is between 0 and 6: min(max(x, 0), 6).");
}

}  // namespace cnnc::ops
