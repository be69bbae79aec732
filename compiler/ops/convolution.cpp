// The calls and the geometry of convolutions.
#include "ops/convolution.hpp"

#include <algorithm>

#include "ops/separable.hpp"

namespace cnnc::ops {

namespace {

// What cnn::dwconv_scratch says for the same geometry: generated code asserts that they agree.
ir::ScratchSize depthwise_scratch(const ir::OpContext& context) {
  const Window w = std::get<Window>(window("dwconv", context.inputs[0], context.arguments));
  const auto reach = [](const WindowAxis& axis) { return axis.dilation * (axis.kernel - 1) / axis.stride; };
  const std::int64_t pitch = w.width.out + reach(w.width);
  const std::int64_t phases = std::min(w.height.stride, w.height.dilation * (w.height.kernel - 1) + 1) *
                              std::min(w.width.stride, w.width.dilation * (w.width.kernel - 1) + 1);
  const std::int64_t plane = (w.height.out + reach(w.height)) * pitch;
  const std::int64_t margin = reach(w.height) * pitch + reach(w.width);
  return {.per_thread = phases * plane + w.height.out * pitch + 2 * margin + 8, .shared = 0};
}

}  // namespace

std::vector<ir::GeometryField> conv_geometry(const ir::OpContext& context, std::int64_t groups) {
  const ir::Shape& in = context.inputs[0];
  const Window w = std::get<Window>(window("conv", in, context.arguments));
  return {{"in_channels", in.channels},
          {"in_height", in.height},
          {"in_width", in.width},
          {"out_channels", context.output.channels},
          {"out_height", w.height.out},
          {"out_width", w.width.out},
          {"kernel_height", w.height.kernel},
          {"kernel_width", w.width.kernel},
          {"stride_height", w.height.stride},
          {"stride_width", w.width.stride},
          {"pad_top", w.height.pad},
          {"pad_left", w.width.pad},
          {"dilation_height", w.height.dilation},
          {"dilation_width", w.width.dilation},
          {"groups", groups},
          {"block", context.block}};
}

ir::OnnxNode onnx_convolution(const ir::OpContext& context, std::int64_t groups, std::string weight) {
  const ir::Shape& input = context.inputs[0];
  ir::OnnxNode node{"Conv", {"input0", std::move(weight)}, "output"};
  if (context.arguments.boolean("bias")) node.inputs.push_back("bias");
  node.attributes = onnx_window(input, std::get<Window>(window("conv", input, context.arguments)), true);
  node.attributes.push_back({"group", groups});
  return node;
}

void call_depthwise(ir::OpDef& card) {
  using ir::Role;
  constexpr ir::ScratchDef kScratch{"dwconv_scratch", depthwise_scratch};
  card.training = {.forward = {"dwconv",
                               {Role::kOutput, Role::kLoaded, Role::kWeight, Role::kEpilogue, Role::kGeometry,
                                Role::kBatch, Role::kScratch},
                               kScratch},
                   .backward_input = ir::CallDef{"dwconv_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kWeight,
                                                  Role::kGeometry, Role::kBatch, Role::kScratch},
                                                 kScratch},
                   .backward_params = ir::CallDef{"dwconv_backward_params",
                                                  {Role::kDParameters, Role::kDOutput, Role::kLoaded,
                                                   Role::kGeometry, Role::kBatch, Role::kScratch},
                                                  kScratch}};
  card.chain = separable_chain;
}

Window convolution_window(const ir::JoinedLayer& layer) {
  return std::get<Window>(window("conv", layer.context->inputs[0], layer.context->arguments));
}

bool is_whole_convolution(const ir::JoinedLayer& layer) {
  if (layer.op->geometry_type != "ConvGeometry" || layer.op->training.forward.prepare.function.empty()) return false;
  const auto fields = layer.op->geometry(*layer.context);
  const auto is_one = [&](std::string_view name) {
    return std::get<std::int64_t>(std::ranges::find(fields, name, &ir::GeometryField::name)->value) == 1;
  };
  return is_one("groups") && is_one("block");
}

bool is_pointwise(const ir::JoinedLayer& layer) {
  const Window w = convolution_window(layer);
  const auto plain = [](const WindowAxis& axis, std::int64_t size) {
    return axis.kernel == 1 && axis.stride == 1 && axis.pad == 0 && axis.out == size;
  };
  return plain(w.height, layer.context->inputs[0].height) && plain(w.width, layer.context->inputs[0].width);
}

void take_stored(ir::CallDef& call) {
  std::ranges::replace(call.operands, ir::Role::kLoaded, ir::Role::kInputs);
  const bool stores_sums = std::erase(call.operands, ir::Role::kEpilogue) > 0;
  if (stores_sums) std::ranges::replace(call.operands, ir::Role::kWeight, ir::Role::kParameters);
  call.accumulates = call.cuts_off = false;
  call.prepare = {};
}

}  // namespace cnnc::ops
