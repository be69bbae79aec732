// The card of `relu6`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef relu6_card() {
  ir::OpDef card =
      activation_card("relu6", "relu6_backward_input", "Keeps what is between 0 and 6: min(max(x, 0), 6).");
  card.traits.monotone = true;
  card.traits.cuts_off = "kRelu6";
  card.onnx = [](const ir::OpContext&) -> ir::OnnxForm {
    return {.nodes = {{"Clip", {"input0", "least", "most"}, "output"}},
            .constants = {ir::onnx_number("least", 0), ir::onnx_number("most", 6)}};
  };
  return card;
}

}  // namespace cnnc::ops
