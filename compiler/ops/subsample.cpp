// The card of `subsample`.
#include "ops/cards.hpp"
#include "ops/window.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  ir::Inference pooled = infer_pool("subsample", context);
  auto* inferred = std::get_if<ir::Inferred>(&pooled);
  if (inferred == nullptr) return pooled;
  const std::int64_t channels = context.inputs[0].channels;
  inferred->parameters.push_back({"weight", {channels}, {ir::Initializer::Kind::kConstant, 1}});
  inferred->parameters.push_back({"bias", {channels}, {ir::Initializer::Kind::kConstant, 0}});
  return pooled;
}

ir::OnnxForm onnx(const ir::OpContext& context) {
  const ir::Shape& input = context.inputs[0];
  const Window w = std::get<Window>(window("subsample", input, context.arguments));
  return {.nodes = {{"AveragePool", {"input0"}, "means", onnx_window(input, w, false)},
                    {"Unsqueeze", {"weight", "axes"}, "coefficients"},
                    {"Unsqueeze", {"bias", "axes"}, "offsets"},
                    {"Mul", {"means", "coefficients"}, "weighted"},
                    {"Add", {"weighted", "offsets"}, "output"}},
          .constants = {ir::onnx_shape("axes", {1, 2})}};
}

}  // namespace

ir::OpDef subsample_card() {
  using ir::Role;
  ir::OpDef card =
      pool_card("subsample",
                "Each window's mean, times a trainable coefficient of its map, plus a trainable bias "
                "(LeCun et al. 1998, II.B).",
                infer);
  // What the paper has: windows side by side.
  std::erase_if(card.arguments, [](const ir::ArgumentDef& argument) { return argument.name != "kernel"; });
  card.training = {
      .forward = {"subsample",
                  {Role::kOutput, Role::kInputs, Role::kParameters, Role::kGeometry, Role::kBatch}},
      .backward_input =
          ir::CallDef{"subsample_backward_input",
                      {Role::kDInput, Role::kDOutput, Role::kParameters, Role::kGeometry, Role::kBatch}},
      .backward_params =
          ir::CallDef{"subsample_backward_params",
                      {Role::kDParameters, Role::kDOutput, Role::kInputs, Role::kGeometry, Role::kBatch}}};
  card.onnx = onnx;
  return card;
}

}  // namespace cnnc::ops
