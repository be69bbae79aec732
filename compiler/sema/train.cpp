// Reads a train's settings, and those of the recipe that it uses.
#include "sema/train.hpp"

#include <algorithm>
#include <deque>

#include "sema/foreign_names.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

// ---------- what is trained for ----------

bool read_loss(const Settings& settings, TrainLines& lines, const FileScope& file) {
  const auto found = settings.find("loss");
  if (found == settings.end()) return true;
  const InScope in_scope(found->second.scope);
  const auto chosen = choose(losses(), "loss", *found->second->value, found->second.values(file), file);
  if (!chosen) return false;
  static const std::map<std::string_view, ir::Loss> kinds = {{"cross_entropy", ir::Loss::kCrossEntropy},
                                                             {"binary_cross_entropy", ir::Loss::kBinaryCrossEntropy},
                                                             {"mse", ir::Loss::kMeanSquaredError},
                                                             {"lenet5_map", ir::Loss::kLenet5Map}};
  lines.loss_range = chosen->range;
  ir::Training& training = lines.training;
  training.loss = kinds.at(chosen->callable->name);
  if (training.loss == ir::Loss::kCrossEntropy) {
    const ir::ArgumentValues& arguments = chosen->arguments.values;
    training.label_smoothing = arguments.number("label_smoothing");
    for (const ir::Value& weight : *arguments.at("class_weights").as<ir::List>()) {
      training.class_weights.push_back(*number_of(weight));
    }
  } else if (training.loss == ir::Loss::kLenet5Map) {
    training.rubbish_penalty = chosen->arguments.values.number("j");
  }
  return true;
}

// One metric, as the name of its column: "f1(macro)".
bool read_metric(const syntax::Expression& expression, const Scope& values, TrainLines& lines, const FileScope& file) {
  const auto chosen = choose(metrics(), "metric", expression, values, file);
  if (!chosen) return false;
  std::string name(chosen->callable->name);
  const bool averaged = !chosen->callable->arguments.empty();
  if (averaged) name += fmt::format("({})", chosen->arguments.values.word("average"));
  std::vector<std::string>& list = lines.training.metrics;
  if (std::ranges::find(list, name) != list.end()) return true;
  list.push_back(name);
  lines.metric_ranges[name] = expression.range;
  if (averaged || name == "confusion") lines.training.not_yet.push_back({expression.range, fmt::format("the metric '{}'", name)});
  return true;
}

bool read_metrics(const Settings& settings, TrainLines& lines, const FileScope& file) {
  const auto found = settings.find("metrics");
  if (found == settings.end()) {
    lines.training.metrics = {"accuracy"};
    return true;
  }
  const InScope in_scope(found->second.scope);
  const Scope& values = found->second.values(file);
  const syntax::Expression& expression = *found->second->value;
  const auto* list = std::get_if<syntax::ListExpression>(&expression.form);
  if (list == nullptr) return read_metric(expression, values, lines, file);
  bool well = true;
  for (const auto& element : list->elements) well &= read_metric(*element, values, lines, file);
  return well;
}

bool read_numbers(const std::string& owner, const Settings& settings, Range range, std::optional<std::int64_t> batch,
                  TrainLines& lines, const FileScope& file) {
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  const auto own_batch = integer_setting("batch", settings, {1, kMaxBatch}, batch.value_or(0), file);
  const auto seed = integer_setting("seed", settings, {0, kMost}, 0, file);
  const auto save_every = integer_setting("save_every", settings, {0, kMost}, 0, file);
  const auto precision = word_setting("precision", settings, {"strict", "fast"}, "fast", file);
  if (!own_batch || !seed || !save_every || !precision) return false;
  if (*own_batch == 0) {
    file.diagnostics.report(range, messages::kMissingSetting, owner, "a batch")
        .help("batch = 128, here or in the data");
    return false;
  }
  lines.training.batch = *own_batch;
  lines.training.seed = static_cast<std::uint64_t>(*seed);
  lines.training.save_every = *save_every;
  lines.training.precision = *precision == "strict" ? ir::Precision::kStrict : ir::Precision::kFast;
  return true;
}

// ---------- lines ----------

// Scopes that a train's lines mean: its file's, and its recipe's.
struct Scopes {
  std::deque<ConfigScope> configs;
  std::deque<Scope> values;
};

void add_lines(const syntax::Config& config, const ConfigScope& scope, ConfigLines& lines) {
  for (const syntax::ConfigStatement& statement : config.statements) lines.push_back({&statement, &scope});
}

// The recipe's lines with its parameters bound; false after a message.
bool add_recipe(const syntax::Call& call, const FileScope& file, Scopes& scopes, ConfigLines& lines) {
  const syntax::CallPart& part = call.parts.front();
  if (file.broken.contains(part.name.text)) return false;
  const Declaration* declared = file.find<syntax::RecipeItem>(part.name.text);
  if (declared == nullptr || call.parts.size() > 1) {
    auto report = file.diagnostics.report(part.name.range, messages::kUnknownRecipe, part.name.text);
    if (const auto near = nearest(part.name.text, file.names<syntax::RecipeItem>()); !near.empty())
      report.help(fmt::format("did you mean {}?", near));
    return false;
  }
  const auto& recipe = *declared->as<syntax::RecipeItem>();
  std::vector<ParameterFacts> parameters;
  for (const syntax::Parameter& one : recipe.parameters) {
    parameters.push_back({one.name.text, one.default_value == nullptr, one.name.range});
  }
  const auto given = give_arguments(part.name, parameters, part.arguments, {file.values, nullptr}, file.diagnostics);
  if (!given) return false;
  Scope& values = scopes.values.emplace_back(&declared->home->values);
  const Note used{fmt::format("in using {}", file.sources.text(call.range)), true, call.range};
  const ConfigScope& scope = scopes.configs.emplace_back(ConfigScope{declared->home, &values, used});
  const InScope in_scope(scope);
  bind_parameters(recipe.parameters, *given, values, file.diagnostics);
  add_lines(recipe.config, scope, lines);
  return true;
}

void read_statement(const Scoped<syntax::ConfigStatement>& line, Settings& settings, TrainLines& lines) {
  const ConfigScope& scope = *line.scope;
  const InScope in_scope(scope);
  static const SettingNames kNames{"train", names_of(train_settings())};
  Diagnostics& diagnostics = scope.file->diagnostics;
  if (const auto* setting = std::get_if<syntax::Setting>(&line.line->form)) {
    add_setting(*setting, kNames, settings, diagnostics, &scope);
  } else if (const auto* callback = std::get_if<syntax::Callback>(&line.line->form)) {
    read_callback(*callback, scope, lines.training.callbacks, lines);
  } else if (const auto* init = std::get_if<syntax::InitWeights>(&line.line->form)) {
    lines.initial_weights.push_back({init, &scope});
  } else if (const auto* group = std::get_if<syntax::ParameterGroup>(&line.line->form)) {
    if (auto read = read_group(*group, scope)) lines.groups.push_back(std::move(*read));
  } else if (const auto* transforms = std::get_if<syntax::Transforms>(&line.line->form)) {
    diagnostics.report(transforms->kind.range, messages::kNotInHere, "train")
        .help(fmt::format("'{}' belongs to the data", transforms->kind.text));
  }
}

}  // namespace

std::optional<TrainLines> read_train(const syntax::TrainItem& item, Range range,
                                     std::optional<std::int64_t> batch, const FileScope& file) {
  const int errors = file.diagnostics.errors();
  TrainLines lines;
  lines.training.data_name = item.data.text;
  const auto scopes = std::make_shared<Scopes>();
  lines.owned = scopes;
  ConfigLines config;
  if (item.recipe && !add_recipe(*item.recipe, file, *scopes, config)) return std::nullopt;
  const ConfigScope& own = scopes->configs.emplace_back(ConfigScope{&file, &file.values});
  if (item.config) add_lines(*item.config, own, config);

  Settings settings;
  for (const auto& line : config) read_statement(line, settings, lines);
  const std::string owner = fmt::format("the train on {}", item.data.text);
  bool well = read_loss(settings, lines, file);
  well &= read_metrics(settings, lines, file);
  well &= read_numbers(owner, settings, range, batch, lines, file);
  auto phases = read_phases(config, settings, owner, range, lines, file);
  if (!well || !phases || file.diagnostics.errors() != errors) return std::nullopt;
  lines.phases = std::move(*phases);
  return lines;
}

}  // namespace cnnc::sema
