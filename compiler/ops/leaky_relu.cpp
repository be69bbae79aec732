// The card of `leaky_relu`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  auto fields = map_geometry(context);
  fields.push_back({"slope", context.arguments.number("slope")});
  return fields;
}

}  // namespace

ir::OpDef leaky_relu_card() {
  ir::OpDef card =
      activation_card("leaky_relu", "leaky_relu_backward_input",
                      "Keeps what is positive and scales down what is negative: x > 0 ? x : slope * x.");
  card.arguments = {{.name = "slope",
                     .type = ir::ArgumentType::kNumber,
                     .default_value = ir::Value{0.01},
                     .summary = "What a negative element is multiplied by.",
                     .positional = true,
                     .minimum = 0,
                     .maximum = 1}};
  card.geometry_type = "LeakyReluGeometry";
  card.geometry = geometry;
  card.onnx = [](const ir::OpContext& context) -> ir::OnnxForm {
    return {.nodes = {{"LeakyRelu", {"input0"}, "output", {{"alpha", context.arguments.number("slope")}}}}};
  };
  return card;
}

}  // namespace cnnc::ops
