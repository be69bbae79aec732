// The card of `softmax`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

ir::OpDef softmax_card() {
  ir::OpDef card = activation_card("softmax", "softmax_backward_input",
                                   "Turns the channels of each pixel into probabilities: exp(x) / sum of exp(x).");
  card.traits = {.activation = true, .probabilities = true};
  card.onnx = [](const ir::OpContext&) -> ir::OnnxForm {
    return {.nodes = {{"Softmax", {"input0"}, "output", {{"axis", std::int64_t{1}}}}}};
  };
  return card;
}

}  // namespace cnnc::ops
