// The card of `tanh`, plain and scaled.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

double scale_of(const ir::OpContext& context) {
  return context.arguments.number("scale");
}
double slope_of(const ir::OpContext& context) {
  return context.arguments.number("slope");
}

std::vector<ir::GeometryField> scaled_geometry(const ir::OpContext& context) {
  auto fields = map_geometry(context);
  fields.push_back({"scale", scale_of(context)});
  fields.push_back({"slope", slope_of(context)});
  return fields;
}

ir::OpDef scaled_card() {
  ir::OpDef card =
      activation_card("scaled_tanh", "scaled_tanh_backward_input", "tanh with a scale and a slope.");
  card.geometry_type = "ScaledTanhGeometry";
  card.geometry = scaled_geometry;
  return card;
}

const ir::OpDef* kernel(const ir::OpContext& context) {
  static const ir::OpDef scaled = scaled_card();
  return scale_of(context) == 1 && slope_of(context) == 1 ? nullptr : &scaled;
}

ir::OnnxForm onnx(const ir::OpContext& context) {
  if (kernel(context) == nullptr) return onnx_operator("Tanh");
  return {.nodes = {{"Mul", {"input0", "slope"}, "scaled"},
                    {"Tanh", {"scaled"}, "tangent"},
                    {"Mul", {"tangent", "scale"}, "output"}},
          .constants = {ir::onnx_number("slope", slope_of(context)),
                        ir::onnx_number("scale", scale_of(context))}};
}

}  // namespace

ir::OpDef tanh_card() {
  ir::OpDef card = activation_card("tanh", "tanh_backward_input",
                                   "The hyperbolic tangent of each element: scale * tanh(slope * x).");
  card.traits.monotone = true;
  card.arguments = {{.name = "scale",
                     .type = ir::ArgumentType::kNumber,
                     .default_value = ir::Value{1.0},
                     .summary = "What the tangent is multiplied by; LeNet-5 of 1998 has 1.7159.",
                     .minimum = 1e-3,
                     .maximum = 1e3},
                    {.name = "slope",
                     .type = ir::ArgumentType::kNumber,
                     .default_value = ir::Value{1.0},
                     .summary = "What the element is multiplied by before; LeNet-5 of 1998 has 2/3.",
                     .minimum = 1e-3,
                     .maximum = 1e3}};
  card.onnx = onnx;
  card.kernel = kernel;
  return card;
}

}  // namespace cnnc::ops
