// The card of `lrn`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  if (context.inputs[0].flat) return flat_input("lrn", context.inputs[0]);
  return infer_same_shape(context);
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  auto fields = map_geometry(context);
  fields.push_back({"size", context.arguments.integer("size")});
  for (const std::string_view name : {"alpha", "beta", "k"})
    fields.push_back({name, context.arguments.number(name)});
  return fields;
}

ir::ArgumentDef constant(std::string_view name, double value, std::string_view summary) {
  return {.name = name,
          .type = ir::ArgumentType::kNumber,
          .default_value = ir::Value{value},
          .summary = summary,
          .minimum = 0};
}

// ONNX's LRN puts the odd channel of an even size behind the element, PyTorch and we before it: there the
// mean of squares is an average over channels.
ir::OnnxForm onnx(const ir::OpContext& context) {
  const std::int64_t size = context.arguments.integer("size");
  const double alpha = context.arguments.number("alpha"), beta = context.arguments.number("beta");
  const double k = context.arguments.number("k");
  if (size % 2 == 1)
    return {
        .nodes = {
            {"LRN", {"input0"}, "output", {{"size", size}, {"alpha", alpha}, {"beta", beta}, {"bias", k}}}}};
  return {.nodes = {{"Mul", {"input0", "input0"}, "squares"},
                    {"Unsqueeze", {"squares", "axis"}, "volume"},
                    {"AveragePool",
                     {"volume"},
                     "means",
                     {{"kernel_shape", std::vector<std::int64_t>{size, 1, 1}},
                      {"strides", std::vector<std::int64_t>{1, 1, 1}},
                      {"pads", std::vector<std::int64_t>{size / 2, 0, 0, (size - 1) / 2, 0, 0}},
                      {"count_include_pad", std::int64_t{1}}}},
                    {"Squeeze", {"means", "axis"}, "maps"},
                    {"Mul", {"maps", "alpha"}, "weighted"},
                    {"Add", {"weighted", "k"}, "base"},
                    {"Pow", {"base", "beta"}, "divisor"},
                    {"Div", {"input0", "divisor"}, "output"}},
          .constants = {ir::onnx_shape("axis", {1}), ir::onnx_number("alpha", alpha), ir::onnx_number("k", k),
                        ir::onnx_number("beta", beta)}};
}

}  // namespace

ir::OpDef lrn_card() {
  using ir::Role;
  ir::OpDef card{
      .name = "lrn",
      .summary =
          "Local response normalisation (Krizhevsky et al. 2012, 3.3): x / (k + alpha / size * sum of "
          "x^2)^beta, the sum "
          "over `size` channels around each.",
      .arguments = {{.name = "size",
                     .type = ir::ArgumentType::kInteger,
                     .default_value = {},
                     .summary = "How many channels, the element's own among them, are summed.",
                     .positional = true,
                     .minimum = 1,
                     .maximum = 64}},
      .traits = {},
      .infer = infer,
      .geometry_type = "LrnGeometry",
      .geometry = geometry,
      .training = {.forward = {"lrn", {Role::kOutput, Role::kInputs, Role::kGeometry, Role::kBatch}},
                   .backward_input = ir::CallDef{"lrn_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kInputs,
                                                  Role::kGeometry, Role::kBatch}},
                   .backward_params = {}},
      .onnx = onnx,
  };
  card.arguments.push_back(constant("alpha", 1e-4,
                                    "The weight of the mean of squares; a paper's that weighs their sum is "
                                    "this / size."));
  card.arguments.push_back(constant("beta", 0.75, "The exponent."));
  card.arguments.push_back(constant("k", 1, "What the weighted squares are added to."));
  card.arguments.back().minimum = 1e-6;
  return card;
}

}  // namespace cnnc::ops
