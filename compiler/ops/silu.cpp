// The card of `silu`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef silu_card() {
  ir::OpDef card = input_activation_card(
      "silu", "silu_backward_input",
      "Each element times its logistic function: x / (1 + exp(-x)); also called swish.");
  card.onnx = [](const ir::OpContext&) -> ir::OnnxForm {
    return {.nodes = {{"Sigmoid", {"input0"}, "logistic"}, {"Mul", {"input0", "logistic"}, "output"}}};
  };
  return card;
}

}  // namespace cnnc::ops
