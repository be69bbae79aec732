// The card of `softmax`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef softmax_card() {
  ir::OpDef card = activation_card("softmax", "softmax_backward_input",
                                   "Turns the channels of each pixel into probabilities: exp(x) / sum of exp(x).");
  card.traits = {.activation = true, .probabilities = true};
  return card;
}

}  // namespace cnnc::ops
