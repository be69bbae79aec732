// The card of `dense`.
#include <algorithm>

#include "ops/cards.hpp"
#include "ops/lanes.hpp"
#include "ops/initialization.hpp"
#include "support/messages.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  const ir::Shape& input = context.inputs[0];
  if (!input.flat) {
    ir::Mistake found = ir::mistake(messages::kNotFlat, "", "dense", to_text(input));
    found.help = "put 'flatten' or 'gap' before it";
    return found;
  }
  const std::int64_t out = context.arguments.integer("out");
  ir::Inferred inferred{.output = {.channels = out, .flat = true}};
  add_weights(inferred, context.arguments, {out, input.channels}, input.channels, out);
  return inferred;
}

std::int64_t macs(const ir::OpContext& context) {
  return context.inputs[0].channels * context.output.channels;
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  return {{"in", context.inputs[0].channels}, {"out", context.output.channels}, {"block", context.block}};
}

ir::OnnxForm onnx(const ir::OpContext& context) {
  ir::OnnxNode node{"Gemm", {"input0", "weight"}, "output", {{"transB", std::int64_t{1}}}};
  if (context.arguments.boolean("bias")) node.inputs.push_back("bias");
  return {.nodes = {std::move(node)}};
}

// What cnn::dense_scratch says for the same geometry: images and features in whole panels.
ir::ScratchSize scratch_size(const ir::OpContext& context) {
  constexpr std::int64_t kPanelRows = 6, kPanelColumns = 16, kLanes = 8, kFewImages = 128, kDenseColumns = 240, kDenseRows = 16;
  const auto whole = [](std::int64_t count, std::int64_t panel) { return (count + panel - 1) / panel * panel; };
  const std::int64_t images = whole(std::min(context.batch, kFewImages), kPanelColumns);
  const std::int64_t features = std::max(context.inputs[0].channels, whole(context.output.channels, kPanelRows));
  return {.per_thread = kDenseColumns * (kDenseRows + images), .shared = (images + kLanes) * features};
}

// What cnn::lanes::dense_backward_params_scratch says for the same geometry.
ir::ScratchSize lanes_scratch(const ir::OpContext& context) {
  return turned_over(context.inputs[0].channels, context);
}

// Weights that stay in a second-level cache; larger matrices are better off in a BLAS.
const ir::OpDef* lanes(const ir::OpContext& context) {
  static const ir::OpDef card = [] {
    ir::OpDef on_lanes = lanes_card(dense_card(), "lanes::dense", "lanes::dense_backward_input", "lanes::dense_backward_params");
    on_lanes.training.backward_params->operands.push_back(ir::Role::kScratch);
    on_lanes.training.backward_params->scratch = {"lanes::dense_backward_params_scratch", lanes_scratch};
    return on_lanes;
  }();
  return macs(context) <= kMostLanesWeights ? &card : nullptr;
}

}  // namespace

ir::OpDef dense_card() {
  using ir::Role;
  ir::OpDef card{
      .name = "dense",
      .summary = "A fully connected layer: out = weight * in + bias.",
      .arguments = {{.name = "out",
                     .type = ir::ArgumentType::kInteger,
                     .default_value = {},
                     .summary = "The number of outputs.",
                     .positional = true,
                     .minimum = 1,
                     .maximum = 1 << 24}},
      .traits = {},
      .infer = infer,
      .macs = macs,
      .geometry_type = "DenseGeometry",
      .geometry = geometry,
      .training = {.forward = {"dense",
                               {Role::kOutput, Role::kInputs, Role::kParameters, Role::kGeometry, Role::kBatch, Role::kScratch},
                               {"dense_scratch", scratch_size}},
                   .backward_input = ir::CallDef{"dense_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kWeight, Role::kGeometry,
                                                  Role::kBatch, Role::kScratch},
                                                 {"dense_scratch", scratch_size}},
                   .backward_params = ir::CallDef{"dense_backward_params",
                                                  {Role::kDParameters, Role::kDOutput, Role::kInputs, Role::kGeometry,
                                                   Role::kBatch, Role::kScratch},
                                                  {"dense_scratch", scratch_size}}},
      .onnx = onnx,
      .lanes = lanes,
  };
  add_weight_arguments(card);
  return card;
}

}  // namespace cnnc::ops
