// The card of `maxpool`.
#include "ops/cards.hpp"
#include "ops/lanes.hpp"
#include "ops/window.hpp"

namespace cnnc::ops {

namespace {

// Which element of its window won, one byte for each output.
ir::SavedSize saved(const ir::OpContext& context) {
  const std::int64_t blocks = (context.batch + context.block - 1) / context.block;
  return {.elements = blocks * context.block * context.output.elements(), .bytes = true};
}

ir::Inference infer(const ir::OpContext& context) {
  return infer_pool("maxpool", context);
}

ir::OnnxForm onnx(const ir::OpContext& context) {
  const ir::Shape& input = context.inputs[0];
  const Window w = std::get<Window>(window("maxpool", input, context.arguments));
  return {.nodes = {{"MaxPool", {"input0"}, "output", onnx_window(input, w, false)}}};
}

const ir::OpDef* lanes(const ir::OpContext&) {
  static const ir::OpDef card = lanes_card(maxpool_card(), "lanes::maxpool", "lanes::maxpool_backward_input");
  return &card;
}

}  // namespace

ir::OpDef maxpool_card() {
  using ir::Role;
  ir::OpDef card = pool_card("maxpool", "The largest element of each window.", infer);
  card.arguments[0].maximum = 15;  // the winner's place in its window is kept in a byte
  card.training = {.forward = {"maxpool", {Role::kOutput, Role::kSaved, Role::kLoaded, Role::kGeometry, Role::kBatch}},
                   .backward_input = ir::CallDef{"maxpool_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kSaved, Role::kGeometry, Role::kBatch}},
                   .backward_params = {}};
  card.traits.selects = true;
  card.saved = saved;
  card.onnx = onnx;
  card.lanes = lanes;
  return card;
}

}  // namespace cnnc::ops
