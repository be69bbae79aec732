// The card of `tanh`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef tanh_card() {
  return activation_card("tanh", "tanh_backward_input", "The hyperbolic tangent of each element.");
}

}  // namespace cnnc::ops
