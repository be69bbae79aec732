// The card of `gelu`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef gelu_card() {
  ir::OpDef card =
      input_activation_card("gelu", "gelu_backward_input",
                            "Each element times the normal distribution up to it: x / 2 * (1 + erf(x / "
                            "sqrt(2))), exact as PyTorch has it.");
  card.onnx = [](const ir::OpContext&) -> ir::OnnxForm {
    return {.nodes = {{"Mul", {"input0", "inverse_root"}, "scaled"},
                      {"Erf", {"scaled"}, "erf"},
                      {"Add", {"erf", "one"}, "share"},
                      {"Mul", {"input0", "half"}, "halved"},
                      {"Mul", {"halved", "share"}, "output"}},
            .constants = {ir::onnx_number("inverse_root", 0.70710678118654752), ir::onnx_number("one", 1),
                          ir::onnx_number("half", 0.5)}};
  };
  return card;
}

}  // namespace cnnc::ops
