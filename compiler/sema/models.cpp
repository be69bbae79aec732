// Binds a model's parameters and begins its expansion at its input.
#include "sema/models.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

// A model's parameters as an argument table, so that they are bound as a layer's arguments are.
std::vector<ir::ArgumentDef> parameter_table(const syntax::ModelItem& item, const FileScope& file) {
  std::vector<ir::ArgumentDef> table;
  for (const syntax::Parameter& parameter : item.parameters) {
    const bool required = parameter.default_value == nullptr && !file.override_of(parameter.name.text);
    table.push_back({.name = parameter.name.text,
                     .type = ir::ArgumentType::kWord,
                     .default_value = required ? std::nullopt : std::optional(ir::Value{ir::Word{"default"}}),
                     .summary = "",
                     .positional = true});
  }
  return table;
}

// --set wins over what a train's call says, and that over the default.
bool bind_parameters(const syntax::ModelItem& item, const syntax::CallPart* call, const FileScope& file,
                     Scope& values) {
  const auto table = parameter_table(item, file);
  static const std::optional<syntax::Arguments> kNone;
  const auto bound = bind_arguments({item.name.text, call ? call->name.range : item.name.range, table},
                                    call ? call->arguments : kNone, file.diagnostics);
  if (!bound) return false;
  for (std::size_t i = 0; i < bound->size(); ++i) {
    const syntax::Parameter& parameter = item.parameters[i];
    const syntax::Argument* written = (*bound)[i];
    std::optional<ir::Value> value = file.override_of(parameter.name.text);
    if (!value && written != nullptr)
      value = evaluate(*written->value, {file.values, nullptr}, file.diagnostics);
    else if (!value)
      value = evaluate(*parameter.default_value, {values, nullptr}, file.diagnostics);
    if (const Binding* before = values.find_here(parameter.name.text)) {
      file.diagnostics.report(parameter.name.range, messages::kNameTaken, parameter.name.text)
          .also(before->range, "it is bound here");
    }
    values.define(parameter.name.text, {std::move(value), parameter.name.range});
  }
  return true;
}

std::optional<std::vector<std::int64_t>> extents_of(const ir::Value& value) {
  if (const auto* dimensions = value.as<ir::Dimensions>()) return dimensions->extents;
  const auto* list = value.as<ir::List>();
  if (list == nullptr) return std::nullopt;
  std::vector<std::int64_t> extents;
  for (const ir::Value& element : *list) {
    const auto* extent = element.as<std::int64_t>();
    if (extent == nullptr) return std::nullopt;
    extents.push_back(*extent);
  }
  return extents;
}

std::optional<ir::Shape> shape_of(const ir::Value& value, Range range, Diagnostics& diagnostics) {
  const auto extents = extents_of(value);
  double size = 1;
  if (extents) {
    for (const std::int64_t extent : *extents) size *= extent < 1 ? 1e300 : static_cast<double>(extent);
  }
  if (!extents || (extents->size() != 3 && extents->size() != 1) || size > kMaxNumbers) {
    auto report = diagnostics.report(range, messages::kWrongInputShape, to_text(value));
    if (size > kMaxNumbers)
      report.help("each extent is at least 1, and all together at most 2147483648");
    else
      report.help("channels x height x width: input 3x32x32; or a list of features: input [784]");
    return std::nullopt;
  }
  const auto& e = *extents;
  if (e.size() == 1) return ir::Shape{.channels = e[0], .height = 1, .width = 1, .flat = true};
  const bool looks_like_channels = e[2] == 1 || e[2] == 3 || e[2] == 4;
  if (looks_like_channels && e[0] > 4 && e[1] > 4) {
    diagnostics.report(range, messages::kChannelsLast, to_text(value))
        .help(fmt::format("shapes are channels first: {}x{}x{}", e[2], e[0], e[1]));
  }
  return ir::Shape{.channels = e[0], .height = e[1], .width = e[2]};
}

// Finds the input among the model's own statements: before it only values may stand, since layers need it.
const syntax::Statement* find_input(const syntax::Body& body, const syntax::Name& model,
                                    Diagnostics& diagnostics) {
  for (const syntax::Statement& statement : body.statements) {
    if (std::holds_alternative<syntax::InputStatement>(statement.form)) return &statement;
    const bool value = std::holds_alternative<syntax::LetStatement>(statement.form) ||
                       std::holds_alternative<syntax::RequireStatement>(statement.form);
    if (value) continue;
    diagnostics.report(statement.range, messages::kLayerBeforeInput, model.text)
        .help("begin the model with its input, such as: input 3x32x32");
    return nullptr;
  }
  diagnostics.report(model.range, messages::kNoInput, model.text)
      .help("begin the model with its input, such as: input 3x32x32");
  return nullptr;
}

// The statements before the input are walked with it: they may compute its shape.
bool read_input(const syntax::Body& body, Expansion& expansion, Scope& values, Range& range) {
  const syntax::Name name{expansion.model.name, expansion.model.range};
  const syntax::Statement* found = find_input(body, name, expansion.diagnostics);
  if (found == nullptr) return false;
  const auto& input = std::get<syntax::InputStatement>(found->form);
  range = input.shape->range;
  expansion.first_input = &input;
  Scope before(&values);
  for (const syntax::Statement& statement : body.statements) {
    if (&statement == found) break;
    const auto* let = std::get_if<syntax::LetStatement>(&statement.form);
    if (let == nullptr) continue;
    Diagnostics silent;  // what is well here is evaluated again when the statement's turn comes
    auto value = evaluate(*let->value, {before, nullptr}, silent);
    if (!value) {
      evaluate(*let->value, {before, nullptr}, expansion.diagnostics);
      return false;
    }
    before.define(let->name.text, {std::move(value), let->name.range});
  }
  const auto value = evaluate(*input.shape, {before, nullptr}, expansion.diagnostics);
  const auto shape = value ? shape_of(*value, range, expansion.diagnostics) : std::nullopt;
  if (!shape) return false;
  expansion.model.input = *shape;
  if (!input.name) return true;
  expansion.model.input_name = input.name->text;
  expansion.outputs[input.name->text] = *shape;
  return true;
}

}  // namespace

std::optional<ir::Value> FileScope::override_of(std::string_view name) const {
  std::optional<ir::Value> value;
  for (const auto& [key, text] : overrides) {
    if (key == name) value = parse_literal(text);
  }
  return value;
}

std::string missing_parameters(const syntax::ModelItem& item, const FileScope& file) {
  std::vector<std::string_view> names;
  for (const syntax::Parameter& parameter : item.parameters) {
    if (parameter.default_value == nullptr && !file.override_of(parameter.name.text))
      names.push_back(parameter.name.text);
  }
  return enumerate(names);
}

std::optional<ExpandedModel> expand_model(const syntax::ModelItem& item, const syntax::CallPart* call,
                                          const FileScope& file) {
  const int errors = file.diagnostics.errors();
  const auto* body = std::get_if<syntax::Body>(&item.definition);
  Scope values(&file.values);
  if (body == nullptr || !bind_parameters(item, call, file, values)) return std::nullopt;

  Expansion expansion{file.ops, file.unsupported_names, file.model_names, file.diagnostics};
  expansion.model.name = item.name.text;
  expansion.model.range = item.name.range;
  Range input_range;
  if (!read_input(*body, expansion, values, input_range)) return std::nullopt;

  PathScope paths("", nullptr);
  if (!expansion.model.input_name.empty()) paths.take(expansion.model.input_name, input_range);
  Flow flow{expansion.model.input, input_range, false};
  expand_statements(body->statements, expansion, {values, paths, true}, flow, expansion.model.body);
  if (expansion.layers.empty() && file.diagnostics.errors() == errors) {
    file.diagnostics.report(item.name.range, messages::kNoLayers, item.name.text);
  }
  if (file.diagnostics.errors() != errors || !flow.shape) return std::nullopt;
  expansion.model.output = *flow.shape;
  return ExpandedModel{std::move(expansion.model), std::move(expansion.layers), input_range};
}

}  // namespace cnnc::sema
