// Weights and biases of conv and dense, and their first values.
#include "ops/initialization.hpp"

#include <cmath>

namespace cnnc::ops {

namespace {

using Kind = ir::Initializer::Kind;

ir::Initializer weight_initializer(const ir::Value& value, double fan_in, double fan_out) {
  if (const auto* normal = value.as<ir::Normal>()) return {Kind::kNormal, normal->deviation};
  const std::string& scheme = value.as<ir::Word>()->text;
  if (scheme == "he_normal") return {Kind::kNormal, std::sqrt(2 / fan_in)};
  if (scheme == "he_uniform") return {Kind::kUniform, std::sqrt(6 / fan_in)};
  if (scheme == "glorot_uniform") return {Kind::kUniform, std::sqrt(6 / (fan_in + fan_out))};
  return {Kind::kUniform, 1 / std::sqrt(fan_in)};
}

}  // namespace

void add_weight_arguments(ir::OpDef& card) {
  using ir::ArgumentType;
  using ir::Value;
  card.arguments.push_back({.name = "bias",
                            .type = ArgumentType::kBoolean,
                            .default_value = Value{true},
                            .summary = "Whether a trainable bias is added to each output channel."});
  card.arguments.push_back({.name = "act",
                            .type = ArgumentType::kActivation,
                            .default_value = Value{ir::Word{"identity"}},
                            .summary = "The activation that belongs to this layer."});
  card.arguments.push_back({.name = "weights",
                            .type = ArgumentType::kWord,
                            .default_value = Value{ir::Word{"torch"}},
                            .summary = "How the weights begin; `torch` is PyTorch's own initialisation.",
                            .choices = {"torch", "he_normal", "he_uniform", "glorot_uniform"},
                            .also = [](const Value& value) { return value.as<ir::Normal>() != nullptr; },
                            .also_text = "normal(std)"});
  card.arguments.push_back({.name = "bias_init",
                            .type = ArgumentType::kWord,
                            .default_value = Value{ir::Word{"torch"}},
                            .summary = "How the bias begins: as PyTorch has it, or all zero.",
                            .choices = {"torch", "zeros"}});
}

void add_weights(ir::Inferred& inferred, const ir::ArgumentValues& arguments,
                 std::vector<std::int64_t> extents, std::int64_t fan_in, std::int64_t fan_out) {
  const std::int64_t out = extents[0];
  const auto in = static_cast<double>(fan_in);
  inferred.parameters.push_back(
      {"weight", std::move(extents),
       weight_initializer(arguments.at("weights"), in, static_cast<double>(fan_out))});
  if (!arguments.boolean("bias")) return;
  const bool zeros = arguments.word("bias_init") == "zeros";
  inferred.parameters.push_back(
      {"bias", {out}, zeros ? ir::Initializer{} : ir::Initializer{Kind::kUniform, 1 / std::sqrt(in)}});
}

}  // namespace cnnc::ops
