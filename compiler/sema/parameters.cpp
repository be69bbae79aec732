// Parameters of blocks and models: which there are, and the values that calls give them.
#include <algorithm>

#include "sema/models.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

// As an argument table, so that they are bound as a layer's arguments are.
std::vector<ir::ArgumentDef> table_of(const std::vector<ParameterFacts>& parameters) {
  std::vector<ir::ArgumentDef> table;
  for (const ParameterFacts& parameter : parameters) {
    table.push_back({.name = parameter.name,
                     .type = ir::ArgumentType::kWord,
                     .default_value = parameter.required ? std::nullopt : std::optional(ir::Value{ir::Word{"default"}}),
                     .summary = "",
                     .positional = true});
  }
  return table;
}

const syntax::Call* made_from(const syntax::ModelItem& item) {
  if (const auto* alias = std::get_if<syntax::AliasBody>(&item.definition)) return &alias->call;
  if (const auto* extends = std::get_if<syntax::ExtendsBody>(&item.definition)) return &extends->call;
  return nullptr;
}

// Those of the base that the call leaves open. A mistake in the call is reported where it is expanded, not here.
std::vector<ParameterFacts> open_parameters(const Declaration& base, const syntax::CallPart& call, std::size_t depth);

std::vector<ParameterFacts> parameters_at(const Declaration& model, std::size_t depth) {
  const auto& item = *model.as<syntax::ModelItem>();
  std::vector<ParameterFacts> parameters;
  for (const syntax::Parameter& one : item.parameters) {
    parameters.push_back({one.name.text, one.default_value == nullptr, one.name.range});
  }
  const syntax::Call* call = made_from(item);
  if (call == nullptr || depth > kMaxBlockDepth) return parameters;
  const Declaration* base = model.home->find<syntax::ModelItem>(call->parts.front().name.text);
  if (base == nullptr) return parameters;
  for (const ParameterFacts& one : open_parameters(*base, call->parts.front(), depth + 1)) {
    if (std::ranges::find(parameters, one.name, &ParameterFacts::name) == parameters.end()) parameters.push_back(one);
  }
  return parameters;
}

std::vector<ParameterFacts> open_parameters(const Declaration& base, const syntax::CallPart& call, std::size_t depth) {
  std::vector<ParameterFacts> all = parameters_at(base, depth);
  std::vector<ParameterFacts> relaxed = all;
  for (ParameterFacts& one : relaxed) one.required = false;
  const auto table = table_of(relaxed);
  Diagnostics silent;
  const auto bound = bind_arguments({call.name.text, call.name.range, table}, call.arguments, silent);
  if (!bound) return all;
  std::vector<ParameterFacts> open;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((*bound)[i] == nullptr) open.push_back(all[i]);
  }
  return open;
}

}  // namespace

std::vector<ParameterFacts> parameters_of(const Declaration& model) {
  return parameters_at(model, 0);
}

std::optional<Given> give_arguments(const syntax::Name& callee, const std::vector<ParameterFacts>& parameters,
                                    const std::optional<syntax::Arguments>& arguments, const Environment& environment,
                                    Diagnostics& diagnostics, const std::vector<ArgumentOverride>& overrides) {
  const auto table = table_of(parameters);
  auto written = evaluate_arguments({callee.text, callee.range, table}, arguments, environment, diagnostics, overrides);
  if (!written) return std::nullopt;
  Given given;
  for (std::size_t i = 0; i < written->size(); ++i) {
    WrittenArgument& one = (*written)[i];
    if (one.argument == nullptr) continue;
    given[std::string(parameters[i].name)] = {std::move(one.value), one.argument->range};
  }
  return given;
}

void bind_parameters(const std::vector<syntax::Parameter>& parameters, const Given& given, Scope& values,
                     Diagnostics& diagnostics) {
  for (const syntax::Parameter& parameter : parameters) {
    if (const Binding* before = values.find_here(parameter.name.text)) {
      diagnostics.report(parameter.name.range, messages::kNameTaken, parameter.name.text)
          .also(before->range, "it is bound here");
    }
    const auto found = given.find(parameter.name.text);
    std::optional<ir::Value> value;
    if (found != given.end()) value = found->second.value;
    else if (parameter.default_value) value = evaluate(*parameter.default_value, {values, nullptr}, diagnostics);
    values.define(parameter.name.text, {std::move(value), parameter.name.range});
  }
}

std::string bound_text(const std::vector<syntax::Parameter>& parameters, const Scope& values) {
  std::string text;
  for (const syntax::Parameter& parameter : parameters) {
    const Binding* binding = values.find_here(parameter.name.text);
    if (binding == nullptr || !binding->value) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", parameter.name.text, to_text(*binding->value));
  }
  return text.empty() ? "" : fmt::format("({})", text);
}

}  // namespace cnnc::sema
