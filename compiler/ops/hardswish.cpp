// The card of `hardswish`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef hardswish_card() {
  ir::OpDef card =
      input_activation_card("hardswish", "hardswish_backward_input",
                            "A piecewise silu (Howard et al. 2019): x * min(max(x + 3, 0), 6) / 6.");
  card.onnx = [](const ir::OpContext&) -> ir::OnnxForm {
    return {.nodes = {{"HardSigmoid", {"input0"}, "gate", {{"alpha", 1.0 / 6}, {"beta", 0.5}}},
                      {"Mul", {"input0", "gate"}, "output"}}};
  };
  return card;
}

}  // namespace cnnc::ops
