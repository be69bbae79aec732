// The card of `sigmoid`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef sigmoid_card() {
  ir::OpDef card = activation_card("sigmoid", "sigmoid_backward_input",
                                   "The logistic function of each element: 1 / (1 + exp(-x)).");
  card.traits.monotone = true;
  card.onnx = [](const ir::OpContext&) { return onnx_operator("Sigmoid"); };
  return card;
}

}  // namespace cnnc::ops
