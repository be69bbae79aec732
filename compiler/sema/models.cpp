// Binds a model's parameters and begins its expansion at its input.
#include "sema/models.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/selectors.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

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

// The shape that a model's input line gives. What stands before it is evaluated with it, and again in its turn.
std::optional<ir::Shape> declared_input(const Instance& model, const syntax::InputStatement& input, Diagnostics& diagnostics) {
  Scope before(model.values);
  for (const syntax::Statement& statement : model.body->statements) {
    const auto* own = std::get_if<syntax::InputStatement>(&statement.form);
    if (own == &input) break;
    const auto* let = std::get_if<syntax::LetStatement>(&statement.form);
    if (let == nullptr) continue;
    auto value = evaluate(*let->value, {before, nullptr}, diagnostics);
    if (!value) return std::nullopt;
    before.define(let->name.text, {std::move(value), let->name.range});
  }
  const auto value = evaluate(*input.shape, {before, nullptr}, diagnostics);
  return value ? shape_of(*value, input.shape->range, diagnostics) : std::nullopt;
}

// ---------- from a declaration to a body with values ----------

class Instantiation {
 public:
  Instantiation(Instance& instance, Expansion& outer) : instance_(instance), outer_(outer), diagnostics_(outer.diagnostics) {}

  bool build(const Declaration& model, const Given& given) {
    const auto& item = *model.as<syntax::ModelItem>();
    if (std::ranges::find(trail_, &item) != trail_.end()) {
      diagnostics_.report(item.name.range, messages::kRecursion, item.name.text).help("a model can't be made from itself");
      return false;
    }
    trail_.push_back(&item);
    Scope& values = instance_.scopes.emplace_back(&model.home->values);
    bind_parameters(item.parameters, given, values, diagnostics_);
    if (const auto* body = std::get_if<syntax::Body>(&item.definition)) {
      instance_.body = body;
      instance_.home = model.home;
      instance_.values = &values;
      return true;
    }
    const auto* extends = std::get_if<syntax::ExtendsBody>(&item.definition);
    const syntax::Call& call = extends != nullptr ? extends->call : std::get<syntax::AliasBody>(item.definition).call;
    if (!build_base(model, call, values, given)) return false;
    return extends == nullptr || add_edits(*extends, model, values);
  }

 private:
  bool build_base(const Declaration& model, const syntax::Call& call, const Scope& values, const Given& given) {
    const Declaration* base = base_of(*model.home, call);
    if (base == nullptr) return false;
    auto parameters = parameters_of(*base);
    const auto& own = model.as<syntax::ModelItem>()->parameters;
    const auto passed_on = [&](std::string_view name) {
      return given.contains(name) &&
             std::ranges::none_of(own, [&](const syntax::Parameter& one) { return one.name.text == name; });
    };
    for (ParameterFacts& one : parameters) one.required &= !passed_on(one.name);
    const syntax::CallPart& part = call.parts.front();
    auto fixed = give_arguments(part.name, parameters, part.arguments, {values, nullptr}, diagnostics_);
    if (!fixed) return false;
    for (const ParameterFacts& one : parameters) {
      if (passed_on(one.name)) fixed->insert({std::string(one.name), given.find(one.name)->second});
    }
    const auto& name = model.as<syntax::ModelItem>()->name;
    Note note{fmt::format("in {} = {}", name.text, model.home->sources.text(call.range)), true, name.range};
    instance_.chain.push_back(note);
    const Diagnostics::Context context(diagnostics_, std::move(note));
    return build(*base, *fixed);
  }

  const Declaration* base_of(const FileScope& file, const syntax::Call& call) {
    const syntax::Name& name = call.parts.front().name;
    if (file.broken.contains(name.text)) return nullptr;
    const Declaration* base = file.find<syntax::ModelItem>(name.text);
    if (base != nullptr && call.parts.size() == 1) return base;
    if (base != nullptr) {
      diagnostics_.report(call.range, messages::kWholeModelOnly)
          .help("a section is used as a layer: backbone = " + std::string(file.sources.text(call.range)));
      return nullptr;
    }
    auto report = diagnostics_.report(name.range, messages::kUnknownModel, name.text);
    if (const auto near = nearest(name.text, file.names<syntax::ModelItem>()); !near.empty()) {
      report.help(fmt::format("did you mean {}?", near));
    } else if (file.find<syntax::BlockItem>(name.text) != nullptr) {
      report.help("it is a block: a model has an input of its own");
    }
    return nullptr;
  }

  // Finds the paths that each edit means in the model as it is without these edits.
  bool add_edits(const syntax::ExtendsBody& extends, const Declaration& model, const Scope& values) {
    const int errors = diagnostics_.errors();
    Expansion before{outer_.files, outer_.ops, diagnostics_, outer_.budget};
    before.open = outer_.open;
    Model unused;
    Range input;
    if (!expand_instance(instance_, before, unused, input)) return false;
    EditLayer layer{&extends.edits, model.home, &values};
    for (const auto& [path, shape] : before.outputs) layer.paths_before.insert(path);
    for (const syntax::Edit& edit : extends.edits) {
      for (const std::string& path : paths_of(edit, before, *model.home, values)) layer.by_path[path].push_back(&edit);
    }
    instance_.edits.push_back(std::move(layer));
    return diagnostics_.errors() == errors;
  }

  static const syntax::Path& path_of(const syntax::Edit& edit) {
    return std::visit([](const auto& form) -> const syntax::Path& { return form.path; }, edit.form);
  }

  std::vector<std::string> paths_of(const syntax::Edit& edit, const Expansion& before, const FileScope& file,
                                    const Scope& values) {
    const syntax::Path& path = path_of(edit);
    std::vector<LayerFacts> candidates;
    for (const auto& [known, shape] : before.outputs) candidates.push_back({.path = known, .range = {}});
    const auto flags = match_path(path, candidates, {values, nullptr}, diagnostics_);
    if (!flags) return {};
    std::vector<std::string> found;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if ((*flags)[i] && !inside_any(candidates[i].path, candidates, *flags)) found.push_back(candidates[i].path);
    }
    if (found.empty()) report_no_match(path, candidates, file);
    if (!std::holds_alternative<syntax::SetEdit>(edit.form)) return found;
    for (const std::string& one : found) {
      if (before.calls.contains(one)) continue;
      diagnostics_.report(path.range, messages::kNothingToSet, one)
          .help("set reaches layers and blocks: set " + one + "." + first_call_in(one, before) + " ...");
      return {};
    }
    return found;
  }

  static bool inside_any(const std::string& path, const std::vector<LayerFacts>& candidates, const std::vector<bool>& flags) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const std::string& other = candidates[i].path;
      const bool below = path.size() > other.size() && path.starts_with(other) &&
                         (path[other.size()] == '.' || path[other.size()] == '[');
      if (flags[i] && below) return true;
    }
    return false;
  }

  static std::string first_call_in(const std::string& section, const Expansion& before) {
    for (const LayerFacts& layer : before.layers) {
      if (layer.path.starts_with(section + ".")) return layer.path.substr(section.size() + 1);
    }
    return "conv1";
  }

  void report_no_match(const syntax::Path& path, const std::vector<LayerFacts>& candidates, const FileScope& file) {
    const std::string written(file.sources.text(path.range));
    auto report = diagnostics_.report(path.range, messages::kNoSuchPart, written);
    std::vector<std::string_view> known;
    for (const LayerFacts& one : candidates) known.push_back(one.path);
    if (const auto near = nearest(written, known); !near.empty()) report.help(fmt::format("did you mean {}?", near));
    else report.help("cnnc summary lists every path of a model");
  }

  Instance& instance_;
  Expansion& outer_;
  Diagnostics& diagnostics_;
  std::vector<const syntax::ModelItem*> trail_;
};

}  // namespace

bool expand_instance(const Instance& instance, Expansion& expansion, Model& model, Range& input_range) {
  const int errors = expansion.diagnostics.errors();
  model.name = instance.name;
  const syntax::Name name{instance.name, instance.range};
  const syntax::Statement* found = find_input(*instance.body, name, expansion.diagnostics);
  if (found == nullptr) return false;
  const auto& input = std::get<syntax::InputStatement>(found->form);
  const auto shape = declared_input(instance, input, expansion.diagnostics);
  if (!shape) return false;
  model.input = *shape;
  if (input.name) model.input_name = input.name->text;
  input_range = input.shape->range;

  PathScope paths("", nullptr);
  Enclosing around{{}, &input};
  const EditScope edits{.layers = &instance.edits, .base = "", .part = ""};
  Flow flow{model.input, input_range, false};
  const Place place{*instance.home, *instance.values, paths, around, instance.edits.empty() ? nullptr : &edits, true};
  expand_statements(instance.body->statements, expansion, place, flow, model.body);
  if (expansion.layers.empty() && expansion.diagnostics.errors() == errors) {
    expansion.diagnostics.report(instance.range, messages::kNoLayers, instance.name);
  }
  if (expansion.diagnostics.errors() != errors || !flow.shape) return false;
  model.output = *flow.shape;
  return true;
}

std::unique_ptr<Instance> instantiate(const Declaration& model, const Given& given, Expansion& outer) {
  auto instance = std::make_unique<Instance>();
  const syntax::Name& name = model.as<syntax::ModelItem>()->name;
  instance->name = name.text;
  instance->range = name.range;
  if (!Instantiation(*instance, outer).build(model, given)) return nullptr;
  return instance;
}

std::string missing_parameters(const Declaration& model) {
  std::vector<std::string_view> names;
  for (const ParameterFacts& one : parameters_of(model)) {
    if (one.required && !model.home->override_of(one.name)) names.push_back(one.name);
  }
  return enumerate(names);
}

std::optional<ExpandedModel> expand_model(const Declaration& declared, const syntax::CallPart* call,
                                          const FileScope& caller, const std::deque<FileScope>& files) {
  Budget budget;
  Expansion expansion{files, caller.ops, caller.diagnostics, budget};
  const syntax::Name& name = declared.as<syntax::ModelItem>()->name;
  // --set wins over what a train's call says, and that over the default.
  auto parameters = parameters_of(declared);
  for (ParameterFacts& one : parameters) one.required &= !caller.override_of(one.name).has_value();
  static const std::optional<syntax::Arguments> kNone;
  auto given = give_arguments({name.text, call ? call->name.range : name.range}, parameters,
                              call ? call->arguments : kNone, {caller.values, nullptr}, caller.diagnostics);
  if (!given) return std::nullopt;
  for (const ParameterFacts& one : parameters) {
    if (auto value = caller.override_of(one.name)) (*given)[std::string(one.name)] = {std::move(value), one.range};
  }
  expansion.open.push_back(declared.as<syntax::ModelItem>());
  const auto instance = instantiate(declared, *given, expansion);
  if (!instance) return std::nullopt;
  ExpandedModel result;
  result.model.range = name.range;
  const ChainContext chain(caller.diagnostics, instance->chain);
  if (!expand_instance(*instance, expansion, result.model, result.input_range)) return std::nullopt;
  result.layers = std::move(expansion.layers);
  return result;
}

}  // namespace cnnc::sema
