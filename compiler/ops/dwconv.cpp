// The card of `dwconv`.
#include "ops/cards.hpp"
#include "ops/convolution.hpp"
#include "ops/initialization.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  const ir::Shape& input = context.inputs[0];
  if (input.flat) return flat_input("dwconv", input);
  const auto found = window("dwconv", input, context.arguments);
  if (const auto* mistake = std::get_if<ir::Mistake>(&found)) return *mistake;
  const Window& w = std::get<Window>(found);
  const std::int64_t multiplier = context.arguments.integer("multiplier");
  const std::int64_t taps = w.height.kernel * w.width.kernel;
  const std::int64_t out = input.channels * multiplier;
  ir::Inferred inferred{.output = {.channels = out, .height = w.height.out, .width = w.width.out}};
  // Fans as PyTorch has them for groups=channels: the output's counts all channels.
  add_weights(inferred, context.arguments, {out, 1, w.height.kernel, w.width.kernel}, taps, out * taps);
  return inferred;
}

std::int64_t macs(const ir::OpContext& context) {
  const auto [height, width] = context.arguments.pair("kernel");
  return context.output.elements() * height * width;
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  return conv_geometry(context, context.inputs[0].channels);
}

ir::OnnxForm onnx(const ir::OpContext& context) {
  return {.nodes = {onnx_convolution(context, context.inputs[0].channels, "weight")}};
}

}  // namespace

ir::OpDef dwconv_card() {
  using ir::ArgumentType;
  ir::OpDef card{
      .name = "dwconv",
      .summary =
          "Depthwise convolution: each channel is convolved by itself, as conv with as many groups as "
          "channels.",
      .arguments = {{.name = "kernel",
                     .type = ArgumentType::kPair,
                     .default_value = {},
                     .summary = "The window's size: 3 or 1x7, height x width.",
                     .positional = true,
                     .minimum = 1,
                     .maximum = 31}},
      .traits = {},
      .infer = infer,
      .macs = macs,
      .geometry_type = "ConvGeometry",
      .geometry = geometry,
      .onnx = onnx,
  };
  add_window_arguments(card, true);
  card.arguments.push_back({.name = "multiplier",
                            .type = ArgumentType::kInteger,
                            .default_value = ir::Value{std::int64_t{1}},
                            .summary = "Output channels for each input channel.",
                            .minimum = 1,
                            .maximum = 1 << 16});
  add_weight_arguments(card);
  call_depthwise(card);
  return card;
}

}  // namespace cnnc::ops
