// The three generated files, put together from their parts.
#include "emit/emit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "emit/parts.hpp"
#include "emit/text.hpp"
#include "plan/names.hpp"

namespace cnnc::emit {

namespace {

using plan::Plan;

bool trains(const Plan& plan) {
  return plan.training.has_value();
}

// The spec's layers beside what they cost.
std::string layer_table(const Plan& plan) {
  std::size_t width = 5;
  const auto title = [](const plan::LayerRow& row) {
    return fmt::format("{} {}{}", row.path, row.type, row.activation.empty() ? "" : " + " + row.activation);
  };
  std::size_t line_width = 6;
  for (const plan::LayerRow& row : plan.layers) {
    width = std::max(width, title(row).size());
    line_width = std::max(line_width, row.line.place().size());
  }
  std::string text = fmt::format("// {:>{}}  {:{}}  {:>12}  {:>11}  {:>14}  frozen during\n", "line", line_width, "layer", width, "output", "parameters", "MAC/image");
  const auto number = [](std::int64_t value) { return value == 0 ? std::string("-") : with_commas(value); };
  for (const plan::LayerRow& row : plan.layers) {
    std::string line = fmt::format("// {:>{}}  {:{}}  {:>12}  {:>11}  {:>14}  {}", row.line.place(), line_width, title(row), width, row.output,
                                   number(row.parameters), number(row.macs), fmt::join(row.frozen_in, ", "));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string extents_text(const ir::Parameter& parameter) {
  return fmt::format("[{}]", fmt::join(parameter.extents, ", "));
}

std::string header(const Plan& plan, const Origin& origin) {
  const std::string name = class_name(plan);
  std::string text = heading(origin) + "//\n" + layer_table(plan);
  text += fmt::format(
      "#pragma once\n\n#include <cnn/network/network.hpp>\n\nnamespace models {{\n\n"
      "/// {}: {} -> {}, {} parameters, {} multiply-accumulates for an image. Planned for up to {} images at once.\n"
      "class {} final : public cnn::Network {{\n public:\n"
      "  /// Takes all the memory it will ever use; `threads` is the size of its team.\n"
      "  explicit {}(int threads = 1);\n\n"
      "  /// The constants that describe the model, its data and its training.\n"
      "  static const cnn::ModelDescription& model();\n\n private:\n",
      plan.model, to_text(plan.input), to_text(plan.output), with_commas(plan.parameter_count()),
      with_commas(plan.mac_count()), plan.batch, name, name);
  if (trains(plan)) {
    text += "  float step(int phase, cnn::ConstFloats images, cnn::Labels labels, const cnn::RandomKey& random,\n"
            "             cnn::Optimizer& optimizer) override;\n";
  }
  for (const plan::Function& function : plan.functions) text += function_declaration(plan, function);
  text += "\n";
  for (const plan::PlacedParameter& placed : plan.parameters) {
    text += fmt::format("  const cnn::Floats {}_ = parameters({}, {});  // {}\n", placed.identifier, placed.offset,
                        placed.parameter.elements(), extents_text(placed.parameter));
  }
  return text + "};\n\n}  // namespace models\n";
}

std::string step_dispatch(const Plan& plan) {
  const bool any_random = std::ranges::any_of(plan.functions, [](const plan::Function& function) {
    return mentions(function, plan::Named::kRandom);
  });
  std::string text = fmt::format(
      "float {}::step(int phase, cnn::ConstFloats images, cnn::Labels labels, const cnn::RandomKey&{},\n"
      "{:{}}cnn::Optimizer& optimizer) {{\n  switch (phase) {{\n",
      class_name(plan), any_random ? " random" : "", "", class_name(plan).size() + 13);
  for (const plan::Function& function : plan.functions) {
    if (function.kind != plan::FunctionKind::kStep) continue;
    text += fmt::format("    case {}: return {}(images, labels, {}optimizer);\n", function.phase, function.name,
                        mentions(function, plan::Named::kRandom) ? "random, " : "");
  }
  return text + "    default: throw std::out_of_range(\"no such phase\");\n  }\n}\n";
}

std::string part_constant(const Plan& plan) {
  if (plan.predicted > 0) return fmt::format("constexpr int kPredicted = {};  // images that a prediction takes at a time\n", plan.predicted);
  if (plan.part == 0) return "";
  return fmt::format("constexpr int kPart = {};  // images that one task takes through all layers by itself\n", plan.part);
}

std::string source(const Plan& plan, const Origin& origin) {
  const std::string name = class_name(plan);
  std::string text = heading(origin);
  text += fmt::format("#include \"{}.hpp\"\n\n#include <stdexcept>\n\n#include <cnn/kernels.hpp>\n#include <cnn/training/optimizer.hpp>\n\n"
                      "namespace models {{\n\nnamespace {{\n\n"
                      "constexpr int kBatch = {};  // the most images at once; activations lie in blocks of {}{}\n{}\n",
                      plan.program, plan.batch, plan.block, plan.block == 1 ? "" : ", images innermost",
                      part_constant(plan));
  text += geometry_constants(plan) + "\n" + description_tables(plan, origin) + "\n}  // namespace\n\n";
  text += fmt::format("{0}::{0}(int threads) : cnn::Network(kModel, threads) {{}}\n\n"
                      "const cnn::ModelDescription& {0}::model() {{\n  return kModel;\n}}\n\n", name);
  if (trains(plan)) text += step_dispatch(plan) + "\n";
  for (const plan::Function& function : plan.functions) text += function_definition(plan, function, origin) + "\n";
  return text + "}  // namespace models\n";
}

std::string main_source(const Plan& plan, const Origin& origin) {
  return heading(origin) + fmt::format(
      "#include <memory>\n\n#include <cnn/program/program.hpp>\n\n#include \"{}.hpp\"\n\n"
      "int main(int argc, char** argv) {{\n"
      "  return cnn::run(argc, argv, models::{}::model(), [](int threads) -> std::unique_ptr<cnn::Network> {{\n"
      "    return std::make_unique<models::{}>(threads);\n  }});\n}}\n",
      plan.program, class_name(plan), class_name(plan));
}

}  // namespace

std::string heading(const Origin& origin) {
  return fmt::format("// Generated by cnnc {} from {}. Do not edit.\n", origin.version, origin.spec);
}

std::string class_name(const Plan& plan) {
  const std::string name = plan::identifier(plan.model);
  return name == "cnn" || name == "std" || name == "models" ? name + "_" : name;
}

std::vector<GeneratedFile> emit(const Plan& plan, const Origin& origin) {
  return {{plan.program + ".hpp", header(plan, origin)},
          {plan.program + ".cpp", source(plan, origin)},
          {plan.program + "_main.cpp", main_source(plan, origin)}};
}

}  // namespace cnnc::emit
