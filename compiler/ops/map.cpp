// Cards' common answers for layers that map a tensor to one of the same shape.
#include "ops/map.hpp"

#include "support/messages.hpp"

namespace cnnc::ops {

ir::Inference infer_same_shape(const ir::OpContext& context) {
  return ir::Inferred{.output = context.inputs[0]};
}

std::vector<ir::GeometryField> map_geometry(const ir::OpContext& context) {
  const ir::Shape& shape = context.inputs[0];
  return {{"channels", shape.channels}, {"height", shape.height}, {"width", shape.width}, {"block", context.block}};
}

ir::OpDef activation_card(std::string_view name, std::string_view backward_name, std::string_view summary) {
  using ir::Role;
  return {
      .name = name,
      .summary = summary,
      .arguments = {},
      .traits = {.activation = true, .elementwise = true},
      .infer = infer_same_shape,
      .geometry_type = kMapGeometry,
      .geometry = map_geometry,
      .training = {.forward = {name, {Role::kOutput, Role::kInputs, Role::kGeometry, Role::kBatch}},
                   .backward_input = ir::CallDef{backward_name,
                                                 {Role::kDInput, Role::kDOutput, Role::kOutput, Role::kGeometry, Role::kBatch}},
                   .backward_params = {}},
  };
}

ir::OpDef input_activation_card(std::string_view name, std::string_view backward_name, std::string_view summary) {
  using ir::Role;
  ir::OpDef card = activation_card(name, backward_name, summary);
  card.training.backward_input->operands = {Role::kDInput, Role::kDOutput, Role::kInputs, Role::kGeometry, Role::kBatch};
  return card;
}

ir::OnnxForm onnx_operator(std::string_view type) {
  return {.nodes = {{type, {"input0"}, "output"}}};
}

ir::Mistake flat_input(std::string_view op, const ir::Shape& input) {
  ir::Mistake found = ir::mistake(messages::kFlatInput, "", op, to_text(input));
  found.help = "flatten and dense make a tensor flat; put this layer before them";
  return found;
}

}  // namespace cnnc::ops
