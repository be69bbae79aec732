// The card of `relu`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef relu_card() {
  ir::OpDef card = activation_card("relu", "relu_backward_input", "Keeps what is positive: max(x, 0).");
  card.traits.monotone = true;
  card.traits.cuts_off = "kRelu";
  card.onnx = [](const ir::OpContext&) { return onnx_operator("Relu"); };
  return card;
}

}  // namespace cnnc::ops
