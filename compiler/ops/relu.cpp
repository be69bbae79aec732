// The card of `relu`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef relu_card() {
  return activation_card("relu", "relu_backward_input", "Keeps what is positive: max(x, 0).");
}

}  // namespace cnnc::ops
