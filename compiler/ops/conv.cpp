// The card of `conv`.
#include <algorithm>

#include "ops/cards.hpp"
#include "ops/lanes.hpp"
#include "ops/connections.hpp"
#include "ops/conv_algorithms.hpp"
#include "ops/convolution.hpp"
#include "ops/initialization.hpp"
#include "ops/map.hpp"
#include "ops/siblings.hpp"
#include "support/messages.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  const ir::Shape& input = context.inputs[0];
  if (input.flat) return flat_input("conv", input);
  const auto found = window("conv", input, context.arguments);
  if (const auto* mistake = std::get_if<ir::Mistake>(&found)) return *mistake;
  const Window& w = std::get<Window>(found);
  const std::int64_t out = context.arguments.integer("out");
  const std::int64_t groups = context.arguments.integer("groups");
  if (input.channels % groups != 0 || out % groups != 0) {
    ir::Mistake uneven = ir::mistake(messages::kGroupsDoNotDivide, "groups", groups, input.channels, out);
    uneven.help = "each group takes as many input and output channels as every other";
    return uneven;
  }
  const std::int64_t taps = w.height.kernel * w.width.kernel;
  ir::Inferred inferred{.output = {.channels = out, .height = w.height.out, .width = w.width.out}};
  const auto table = connections(context.arguments);
  if (!table) {
    add_weights(inferred, context.arguments, {out, input.channels / groups, w.height.kernel, w.width.kernel},
                input.channels / groups * taps, out * taps);
    return inferred;
  }
  if (groups != 1) return ir::mistake(messages::kConnectWithGroups, "connect");
  if (auto mistake = check_connections(*table, input.channels, out)) return *mistake;
  // Fans are means: output channels read different numbers of inputs.
  add_weights(inferred, context.arguments, {out, 1, w.height.kernel, w.width.kernel},
              std::max<std::int64_t>(1, count(*table) * taps / out), count(*table) * taps / input.channels);
  inferred.parameters.front().extents = {count(*table), w.height.kernel, w.width.kernel};
  return inferred;
}

// The multiply-accumulates of one output element.
std::int64_t depth(const ir::OpContext& context) {
  const auto [height, width] = context.arguments.pair("kernel");
  return context.inputs[0].channels / context.arguments.integer("groups") * height * width;
}

std::int64_t macs(const ir::OpContext& context) {
  if (const auto table = connections(context.arguments)) {
    const auto [height, width] = context.arguments.pair("kernel");
    return count(*table) * height * width * context.output.height * context.output.width;
  }
  return context.output.elements() * depth(context);
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  return conv_geometry(context, context.arguments.integer("groups"));
}

// The weights of a connection table are put in their places among zeros.
ir::OnnxForm onnx(const ir::OpContext& context) {
  const auto table = connections(context.arguments);
  if (!table) return {.nodes = {onnx_convolution(context, context.arguments.integer("groups"), "weight")}};
  const auto [height, width] = context.arguments.pair("kernel");
  const std::vector<std::int64_t> extents = {context.output.channels, context.inputs[0].channels, height, width};
  std::vector<std::int64_t> places;
  for (std::size_t out = 0; out < table->size(); ++out) {
    for (const std::int64_t in : (*table)[out]) places.insert(places.end(), {static_cast<std::int64_t>(out), in});
  }
  std::vector<float> zeros(static_cast<std::size_t>(extents[0] * extents[1] * height * width));
  return {.nodes = {{"ScatterND", {"zeros", "places", "weight"}, "spread"}, onnx_convolution(context, 1, "spread")},
          .constants = {{"zeros", extents, std::move(zeros)}, {"places", {count(*table), 2}, std::move(places)}}};
}

const ir::OpDef* no_lanes(const ir::OpContext&) {
  return nullptr;
}

// What cnn::lanes::conv_backward_params_scratch says for the same geometry.
ir::ScratchSize lanes_scratch(const ir::OpContext& context) {
  const ir::Shape& in = context.inputs[0];
  const Window w = std::get<Window>(window("conv", in, context.arguments));
  const auto covers = [](const WindowAxis& axis, std::int64_t size) {
    return axis.kernel == size && axis.pad == 0 && axis.out == 1 && axis.dilation == 1;
  };
  if (covers(w.height, in.height) && covers(w.width, in.width)) return turned_over(depth(context), context);
  const auto padded = [](const WindowAxis& axis) { return (axis.out - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1; };
  const bool copied =
      w.height.pad != 0 || w.width.pad != 0 || padded(w.height) > in.height || padded(w.width) > in.width;
  const std::int64_t plane = copied ? padded(w.height) * padded(w.width) * 16 : 0;
  const std::int64_t out = context.output.channels;
  const std::int64_t blocks = (context.batch + 15) / 16;
  const std::int64_t slots = std::min(std::clamp<std::int64_t>((1 << 20) / (out * depth(context)), 1, 8), blocks);
  return {.per_thread = plane + 4 * w.height.kernel * w.width.kernel * 16,
          .shared = slots * out * (depth(context) + 1)};
}

// One group, and weights that stay in a second-level cache.
const ir::OpDef* lanes(const ir::OpContext& context) {
  static const ir::OpDef card = [] {
    ir::OpDef on_lanes = lanes_card(conv_card(), "lanes::conv", "lanes::conv_backward_input", "lanes::conv_backward_params");
    on_lanes.training.backward_params->operands.push_back(ir::Role::kScratch);
    on_lanes.training.backward_params->scratch = {"lanes::conv_backward_params_scratch", lanes_scratch};
    return on_lanes;
  }();
  const bool small = context.output.channels * depth(context) <= kMostLanesWeights;
  return small && context.arguments.integer("groups") == 1 ? &card : nullptr;
}

ir::OpDef connected_card() {
  ir::OpDef card = conv_card();
  card.name = "connected_conv";
  card.kernel = nullptr;
  card.geometry_type = "ConnectedConvGeometry";
  card.geometry = [](const ir::OpContext& context) {
    auto fields = geometry(context);
    fields.push_back({"inputs", input_bits(*connections(context.arguments))});
    return fields;
  };
  card.decide = nullptr;
  card.lanes = no_lanes;
  // The weights spread over a whole convolution's, beside what that needs.
  const ir::ScratchDef scratch{"connected_conv_scratch", [](const ir::OpContext& context) {
                                 ir::ScratchSize size = packed_scratch(context);
                                 size.shared += context.output.channels * depth(context);
                                 return size;
                               }};
  const auto rename = [&](ir::CallDef& call, std::string_view function) {
    call.function = function;
    call.scratch = scratch;
    take_stored(call);
  };
  rename(card.training.forward, "connected_conv");
  rename(*card.training.backward_input, "connected_conv_backward_input");
  rename(*card.training.backward_params, "connected_conv_backward_params");
  return card;
}

// Groups of one input channel are a depthwise convolution, whatever it was written as.
const ir::OpDef* kernel(const ir::OpContext& context) {
  static const ir::OpDef depthwise = [] {
    ir::OpDef card{.name = "dwconv",
                   .summary = "A convolution whose groups have one input channel each.",
                   .infer = infer,
                   .macs = macs,
                   .geometry_type = "ConvGeometry",
                   .geometry = geometry};
    call_depthwise(card);
    return card;
  }();
  static const ir::OpDef connected = connected_card();
  if (connections(context.arguments)) return &connected;
  const std::int64_t groups = context.arguments.integer("groups");
  const auto [height, width] = context.arguments.pair("kernel");
  const bool fits = height * width <= 31 * 31;  // cnn::kMostDepthwiseTaps
  return groups > 1 && groups == context.inputs[0].channels && fits ? &depthwise : nullptr;
}

}  // namespace

ir::OpDef conv_card() {
  using ir::ArgumentType;
  ir::OpDef card{
      .name = "conv",
      .summary = "Convolution: each output channel is a sum of windows of the input, weighted.",
      .arguments = {{.name = "out",
                     .type = ArgumentType::kInteger,
                     .default_value = {},
                     .summary = "The number of output channels; those of the input are inferred.",
                     .positional = true,
                     .minimum = 1,
                     .maximum = 1 << 24},
                    {.name = "kernel",
                     .type = ArgumentType::kPair,
                     .default_value = {},
                     .summary = "The window's size: 3 or 1x7, height x width.",
                     .positional = true,
                     .minimum = 1,
                     .maximum = 1 << 16}},
      .traits = {},
      .infer = infer,
      .macs = macs,
      .geometry_type = "ConvGeometry",
      .geometry = geometry,
      .training = packed_calls(),
      .decide = decide_convolution,
      .siblings = convolution_siblings,
      .onnx = onnx,
      .kernel = kernel,
      .lanes = lanes,
  };
  add_window_arguments(card, true);
  card.arguments.push_back({.name = "groups",
                            .type = ArgumentType::kInteger,
                            .default_value = ir::Value{std::int64_t{1}},
                            .summary = "Parts of the channels that are convolved apart from each other.",
                            .minimum = 1,
                            .maximum = 1 << 24});
  add_connect_argument(card);
  add_weight_arguments(card);
  return card;
}

}  // namespace cnnc::ops
