// The card of `sigmoid`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef sigmoid_card() {
  return activation_card("sigmoid", "sigmoid_backward_input", "The logistic function of each element: 1 / (1 + exp(-x)).");
}

}  // namespace cnnc::ops
