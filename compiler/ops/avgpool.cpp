// The card of `avgpool`.
#include <algorithm>

#include "ops/cards.hpp"
#include "ops/lanes.hpp"
#include "ops/window.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  return infer_pool("avgpool", context);
}

// How many places of each window count along one axis.
std::vector<std::int64_t> counted(const WindowAxis& axis, std::int64_t in, bool count_include_pad) {
  std::vector<std::int64_t> counts;
  for (std::int64_t i = 0; i < axis.out; ++i) {
    const std::int64_t begin = i * axis.stride - axis.pad;
    const std::int64_t end = std::min(begin + axis.kernel, in + axis.pad);
    const std::int64_t places =
        count_include_pad ? end - begin : std::min(end, in) - std::max<std::int64_t>(begin, 0);
    counts.push_back(std::max<std::int64_t>(places, 1));
  }
  return counts;
}

// ONNX divides by the whole window; where fewer places count, a factor puts it right.
ir::OnnxForm onnx(const ir::OpContext& context) {
  const ir::Shape& input = context.inputs[0];
  const Window w = std::get<Window>(window("avgpool", input, context.arguments));
  const auto heights = counted(w.height, input.height, counts_padding(context));
  const auto widths = counted(w.width, input.width, counts_padding(context));
  auto attributes = onnx_window(input, w, false);
  attributes.push_back({"count_include_pad", std::int64_t{1}});
  std::vector<float> factors;
  for (const std::int64_t height : heights) {
    for (const std::int64_t width : widths) {
      factors.push_back(static_cast<float>(w.height.kernel * w.width.kernel) /
                        static_cast<float>(height * width));
    }
  }
  if (std::ranges::all_of(factors, [](float factor) { return factor == 1; }))
    return {.nodes = {{"AveragePool", {"input0"}, "output", std::move(attributes)}}};
  return {.nodes = {{"AveragePool", {"input0"}, "mean", std::move(attributes)},
                    {"Mul", {"mean", "factors"}, "output"}},
          .constants = {{"factors", {1, 1, w.height.out, w.width.out}, std::move(factors)}}};
}

const ir::OpDef* lanes(const ir::OpContext&) {
  static const ir::OpDef card = lanes_card(avgpool_card(), "lanes::avgpool", "lanes::avgpool_backward_input");
  return &card;
}

}  // namespace

ir::OpDef avgpool_card() {
  using ir::Role;
  ir::OpDef card = pool_card("avgpool", "The mean of each window.", infer);
  card.arguments.push_back(
      {.name = "count_include_pad",
       .type = ir::ArgumentType::kBoolean,
       .default_value = ir::Value{true},
       .summary =
           "Whether padding counts in the divisor; with pad=same_tf it never does, as in TensorFlow."});
  card.training = {
      .forward = {"avgpool", {Role::kOutput, Role::kLoaded, Role::kGeometry, Role::kBatch}},
      .backward_input = ir::CallDef{"avgpool_backward_input",
                                    {Role::kDInput, Role::kDOutput, Role::kGeometry, Role::kBatch}},
      .backward_params = {}};
  card.onnx = onnx;
  card.lanes = lanes;
  return card;
}

}  // namespace cnnc::ops
