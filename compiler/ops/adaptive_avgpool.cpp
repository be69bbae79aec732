// The card of `adaptive_avgpool`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  const ir::Shape& input = context.inputs[0];
  if (input.flat) return flat_input("adaptive_avgpool", input);
  const auto [height, width] = context.arguments.pair("size");
  return ir::Inferred{.output = {.channels = input.channels, .height = height, .width = width}};
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  const ir::Shape& in = context.inputs[0];
  return {{"channels", in.channels},
          {"in_height", in.height},
          {"in_width", in.width},
          {"out_height", context.output.height},
          {"out_width", context.output.width},
          {"block", context.block}};
}

// The share that each of `in` elements has in each of `out` bins: [out][in].
std::vector<float> shares(std::int64_t out, std::int64_t in) {
  std::vector<float> matrix(static_cast<std::size_t>(out * in));
  for (std::int64_t bin = 0; bin < out; ++bin) {
    const std::int64_t begin = bin * in / out, end = ((bin + 1) * in + out - 1) / out;
    for (std::int64_t i = begin; i < end; ++i)
      matrix[static_cast<std::size_t>(bin * in + i)] = 1 / static_cast<float>(end - begin);
  }
  return matrix;
}

// ONNX has no such pool; rows and columns are averaged by one product of matrices each.
ir::OnnxForm onnx(const ir::OpContext& context) {
  const ir::Shape &in = context.inputs[0], &out = context.output;
  if (in == out) return onnx_operator("Identity");
  return {
      .nodes = {{"MatMul", {"rows", "input0"}, "averaged_rows"},
                {"Transpose", {"columns"}, "columns_transposed", {{"perm", std::vector<std::int64_t>{1, 0}}}},
                {"MatMul", {"averaged_rows", "columns_transposed"}, "output"}},
      .constants = {{"rows", {out.height, in.height}, shares(out.height, in.height)},
                    {"columns", {out.width, in.width}, shares(out.width, in.width)}}};
}

// Bins of one pixel each change nothing.
bool is_view(const ir::OpContext& context) {
  return context.inputs[0] == context.output;
}

}  // namespace

ir::OpDef adaptive_avgpool_card() {
  using ir::Role;
  return {
      .name = "adaptive_avgpool",
      .summary =
          "Average pooling to a given size: bin i of n covers rows floor(i * h / n) up to ceil((i + 1) * h / "
          "n).",
      .arguments = {{.name = "size",
                     .type = ir::ArgumentType::kPair,
                     .default_value = {},
                     .summary = "The output's size: 6 or 6x7, height x width.",
                     .positional = true,
                     .minimum = 1,
                     .maximum = 1 << 16}},
      .traits = {.view = true},
      .infer = infer,
      .geometry_type = "AdaptivePoolGeometry",
      .geometry = geometry,
      .training = {.forward = {"adaptive_avgpool",
                               {Role::kOutput, Role::kLoaded, Role::kGeometry, Role::kBatch}},
                   .backward_input =
                       ir::CallDef{"adaptive_avgpool_backward_input",
                                   {Role::kDInput, Role::kDOutput, Role::kGeometry, Role::kBatch}},
                   .backward_params = {}},
      .is_view = is_view,
      .onnx = onnx,
  };
}

}  // namespace cnnc::ops
