// The arithmetic of sliding windows, and what the two pools share.
#include "ops/window.hpp"

#include <algorithm>

#include "ops/map.hpp"
#include "support/messages.hpp"

namespace cnnc::ops {

namespace {

using ir::ArgumentType;
using ir::Value;

std::int64_t positions(std::int64_t in, const WindowAxis& axis, bool ceil) {
  const std::int64_t span = in + 2 * axis.pad - axis.dilation * (axis.kernel - 1) - 1;
  if (span < 0) return 0;
  std::int64_t out = (span + (ceil ? axis.stride - 1 : 0)) / axis.stride + 1;
  if (ceil && (out - 1) * axis.stride >= in + axis.pad) --out;
  return out;
}

bool pads_as(std::string_view rule, const ir::ArgumentValues& arguments) {
  const auto* word = arguments.has("pad") ? arguments.at("pad").as<ir::Word>() : nullptr;
  return word != nullptr && word->text == rule;
}

// TensorFlow's SAME: as many outputs as strides begin in the input, and of an odd padding the larger half behind it.
void pad_same_tf(WindowAxis& axis, std::int64_t in) {
  axis.out = (in + axis.stride - 1) / axis.stride;
  const std::int64_t reach = (axis.out - 1) * axis.stride + axis.dilation * (axis.kernel - 1) + 1;
  axis.pad = std::max<std::int64_t>(reach - in, 0) / 2;
}

std::variant<Window, ir::Mistake> pad_same(Window window) {
  for (WindowAxis* axis : {&window.height, &window.width}) {
    if (axis->kernel % 2 == 0) {
      ir::Mistake found = ir::mistake(messages::kSameNeedsOddKernel, "pad", axis->kernel);
      found.help = "give the padding as a number";
      return found;
    }
    axis->pad = axis->dilation * (axis->kernel - 1) / 2;
  }
  return window;
}

}  // namespace

void add_window_arguments(ir::OpDef& card, bool dilated) {
  // A convolution steps by 1; a pool without a stride steps by its kernel, which `none` stands for.
  card.arguments.push_back({.name = "stride",
                            .type = ArgumentType::kPair,
                            .default_value = dilated ? Value{std::int64_t{1}} : Value{ir::Word{"kernel"}},
                            .summary = dilated ? "The step of the window." : "The step of the window; the kernel if not given.",
                            .minimum = 1,
                            .maximum = 1 << 16});
  card.arguments.push_back({.name = "pad",
                            .type = ArgumentType::kPadding,
                            .default_value = Value{std::int64_t{0}},
                            .summary = "Zeros around the input, symmetric; `same` keeps the size at stride 1 (odd kernels); "
                                       "`same_tf` is TensorFlow's rule, which pads more on the right and at the bottom.",
                            .minimum = 0,
                            .maximum = 1 << 16,
                            .choices = {"same", "same_tf"}});
  if (!dilated) return;
  card.arguments.push_back({.name = "dilation",
                            .type = ArgumentType::kPair,
                            .default_value = Value{std::int64_t{1}},
                            .summary = "The distance between the kernel's elements.",
                            .minimum = 1,
                            .maximum = 1 << 16});
}

std::variant<Window, ir::Mistake> window(std::string_view op, const ir::Shape& input, const ir::ArgumentValues& arguments) {
  Window result;
  std::tie(result.height.kernel, result.width.kernel) = arguments.pair("kernel");
  const bool by_kernel = !arguments.has("stride") || arguments.at("stride").as<ir::Word>() != nullptr;
  std::tie(result.height.stride, result.width.stride) = arguments.pair(by_kernel ? "kernel" : "stride");
  if (arguments.has("dilation")) std::tie(result.height.dilation, result.width.dilation) = arguments.pair("dilation");
  if (pads_as("same_tf", arguments)) {
    pad_same_tf(result.height, input.height);
    pad_same_tf(result.width, input.width);
    return result;
  }
  if (pads_as("same", arguments)) {
    auto padded = pad_same(result);
    if (auto* found = std::get_if<ir::Mistake>(&padded)) return *found;
    result = std::get<Window>(padded);
  } else if (arguments.has("pad")) {
    std::tie(result.height.pad, result.width.pad) = arguments.pair("pad");
  }
  const bool ceil = arguments.has("ceil") && arguments.boolean("ceil");
  result.height.out = positions(input.height, result.height, ceil);
  result.width.out = positions(input.width, result.width, ceil);
  if (result.height.out < 1 || result.width.out < 1) {
    ir::Mistake found = ir::mistake(messages::kWindowTooLarge, "kernel", op, result.height.kernel, result.width.kernel,
                                    to_text(input));
    found.help = "give padding, a smaller kernel, or fewer layers that shrink the map before it";
    return found;
  }
  return result;
}

std::vector<ir::OnnxAttribute> onnx_window(const ir::Shape& input, const Window& w, bool dilated) {
  const auto behind = [](const WindowAxis& axis, std::int64_t in) {
    const std::int64_t reach = (axis.out - 1) * axis.stride + axis.dilation * (axis.kernel - 1) + 1;
    return std::max<std::int64_t>(reach - in - axis.pad, 0);
  };
  std::vector<ir::OnnxAttribute> attributes = {
      {"kernel_shape", std::vector{w.height.kernel, w.width.kernel}},
      {"strides", std::vector{w.height.stride, w.width.stride}},
      {"pads", std::vector{w.height.pad, w.width.pad, behind(w.height, input.height), behind(w.width, input.width)}}};
  if (dilated) attributes.push_back({"dilations", std::vector{w.height.dilation, w.width.dilation}});
  return attributes;
}

ir::Inference infer_pool(std::string_view op, const ir::OpContext& context) {
  const ir::Shape& input = context.inputs[0];
  if (input.flat) return flat_input(op, input);
  const auto found = window(op, input, context.arguments);
  if (const auto* mistake = std::get_if<ir::Mistake>(&found)) return *mistake;
  const Window& w = std::get<Window>(found);
  if (2 * w.height.pad > w.height.kernel || 2 * w.width.pad > w.width.kernel) {
    ir::Mistake wide = ir::mistake(messages::kPoolPadTooLarge, "pad", op);
    wide.help = "a window that sees only padding has no value to give";
    return wide;
  }
  return ir::Inferred{.output = {.channels = input.channels, .height = w.height.out, .width = w.width.out}};
}

bool counts_padding(const ir::OpContext& context) {
  return context.arguments.has("count_include_pad") && context.arguments.boolean("count_include_pad") &&
         !pads_as("same_tf", context.arguments);
}

std::vector<ir::GeometryField> pool_geometry(const ir::OpContext& context) {
  const ir::Shape& in = context.inputs[0];
  const Window w = std::get<Window>(window("pool", in, context.arguments));
  return {{"channels", in.channels},
          {"in_height", in.height}, {"in_width", in.width},
          {"out_height", w.height.out}, {"out_width", w.width.out},
          {"kernel_height", w.height.kernel}, {"kernel_width", w.width.kernel},
          {"stride_height", w.height.stride}, {"stride_width", w.width.stride},
          {"pad_top", w.height.pad}, {"pad_left", w.width.pad},
          {"block", context.block},
          {"count_include_pad", counts_padding(context)}};
}

ir::OpDef pool_card(std::string_view name, std::string_view summary, ir::Inference (*infer)(const ir::OpContext&)) {
  ir::OpDef card{
      .name = name,
      .summary = summary,
      .arguments = {{.name = "kernel",
                     .type = ArgumentType::kPair,
                     .default_value = {},
                     .summary = "The window's size: 3 or 1x7, height x width.",
                     .positional = true,
                     .minimum = 1,
                     .maximum = 1 << 16}},
      .traits = {},
      .infer = infer,
      .geometry_type = "PoolGeometry",
      .geometry = pool_geometry,
      .training = {},
  };
  add_window_arguments(card, false);
  card.arguments.push_back({.name = "ceil",
                            .type = ArgumentType::kBoolean,
                            .default_value = Value{false},
                            .summary = "Whether a window that hangs over the edge counts."});
  return card;
}

}  // namespace cnnc::ops
