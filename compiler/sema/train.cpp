// Reads a train's settings and callbacks.
#include "sema/train.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/foreign_names.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

using ir::ArgumentDef;
using ir::ArgumentType;

const std::vector<ArgumentDef> kCheckpointArguments = {
    {.name = "file", .type = ArgumentType::kWord, .default_value = {}, .summary = "", .positional = true},
    {.name = "monitor",
     .type = ArgumentType::kWord,
     .default_value = {},
     .summary = "",
     .choices = {"val_loss", "val_accuracy"}}};

const SettingNames kTrainSettings{"train",
                                  {"loss", "metrics", "optimizer", "epochs", "batch", "seed", "save_every"},
                                  {"schedule", "clip_norm", "label_smoothing", "class_weights", "bn_stats"}};

constexpr std::string_view kLaterCallbacks[] = {"early_stop", "reduce_lr"};

bool read_loss(const Settings& settings, TrainLines& lines, const FileScope& file) {
  const auto found = settings.find("loss");
  if (found == settings.end()) return true;
  const syntax::Expression& expression = *found->second->value;
  lines.loss_range = expression.range;
  const auto* call = std::get_if<syntax::Reference>(&expression.form);
  if (call != nullptr && call->arguments) {
    file.diagnostics.report(expression.range, messages::kNotYetSupported, "a loss with arguments");
    return false;
  }
  const auto value = setting_value(*found->second, file);
  const bool well = value && check_word(*value, expression.range, "loss", {"cross_entropy", "mse"},
                                        {"binary_cross_entropy", "lenet5_map"}, file.diagnostics);
  if (!well) return false;
  const bool squares = value->as<ir::Word>()->text == "mse";
  lines.training.loss = squares ? ir::Loss::kMeanSquaredError : ir::Loss::kCrossEntropy;
  return true;
}

// Metrics are looked at one by one, so that `f1(macro)` is not taken for a function.
bool read_metrics(const Settings& settings, TrainLines& lines, const FileScope& file) {
  const auto found = settings.find("metrics");
  if (found == settings.end()) {
    lines.training.metrics = {"accuracy"};
    return true;
  }
  const syntax::Expression& expression = *found->second->value;
  std::vector<const syntax::Expression*> elements{&expression};
  if (const auto* list = std::get_if<syntax::ListExpression>(&expression.form)) {
    elements.clear();
    for (const auto& element : list->elements) elements.push_back(element.get());
  }
  bool well = true;
  for (const syntax::Expression* element : elements) {
    const auto* call = std::get_if<syntax::Reference>(&element->form);
    if (call != nullptr && call->arguments) {
      file.diagnostics.report(element->range, messages::kNotYetSupported,
                              fmt::format("the metric '{}(...)'", call->name.text));
      well = false;
      continue;
    }
    const auto value = evaluate(*element, {file.values, nullptr}, file.diagnostics);
    const bool known =
        value && check_word(*value, element->range, "metrics", {"accuracy", "top5"},
                            {"precision", "recall", "f1", "auc", "confusion"}, file.diagnostics);
    well &= known;
    if (!known) continue;
    std::vector<std::string>& metrics = lines.training.metrics;
    const std::string& name = value->as<ir::Word>()->text;
    if (std::ranges::find(metrics, name) == metrics.end()) metrics.push_back(name);
  }
  return well;
}

bool read_numbers(const syntax::TrainItem& item, const Settings& settings, Range range,
                  std::optional<std::int64_t> batch, TrainLines& lines, const FileScope& file) {
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  const auto own_batch = integer_setting("batch", settings, {1, kMaxBatch}, batch.value_or(0), file);
  const auto seed = integer_setting("seed", settings, {0, kMost}, 0, file);
  const auto save_every = integer_setting("save_every", settings, {0, kMost}, 0, file);
  if (!own_batch || !seed || !save_every) return false;
  if (*own_batch == 0) {
    file.diagnostics
        .report(range, messages::kMissingSetting, fmt::format("the train on {}", item.data.text), "a batch")
        .help("batch = 128, here or in the data");
    return false;
  }
  lines.training.batch = *own_batch;
  lines.training.seed = static_cast<std::uint64_t>(*seed);
  lines.training.save_every = *save_every;
  return true;
}

void read_checkpoint(const syntax::CallPart& part, TrainLines& lines, const FileScope& file) {
  const Callee callee{"checkpoint", part.name.range, kCheckpointArguments};
  const auto bound = bind_arguments(callee, part.arguments, file.diagnostics);
  if (!bound) return;
  const Environment environment{file.values, nullptr};
  const syntax::Expression& name = *(*bound)[0]->value;
  const syntax::Expression& monitor = *(*bound)[1]->value;
  const auto text = evaluate(name, environment, file.diagnostics);
  auto monitored = evaluate(monitor, environment, file.diagnostics);
  if (monitored) {
    monitored = convert_argument(callee, kCheckpointArguments[1], {*monitored, monitor.range}, file.ops,
                                 environment, file.diagnostics);
  }
  if (!text || !monitored) return;
  const auto* path = text->as<std::string>();
  if (path == nullptr || path->empty()) {
    file.diagnostics.report(name.range, messages::kWrongType, "file", "checkpoint", "a file name in quotes",
                            describe(*text));
    return;
  }
  if (path->find_first_of("/\\") != std::string::npos || *path == "." || *path == "..") {
    file.diagnostics.report(name.range, messages::kCheckpointFolder)
        .help("outputs go below --out: give the file's name only");
    return;
  }
  for (const ir::Checkpoint& other : lines.training.checkpoints) {
    if (other.file == *path) file.diagnostics.report(name.range, messages::kCheckpointTwice, *path);
  }
  lines.training.checkpoints.push_back({*path, monitored->as<ir::Word>()->text});
  lines.monitors.emplace_back(monitored->as<ir::Word>()->text, monitor.range);
}

void read_callback(const syntax::Callback& callback, TrainLines& lines, const FileScope& file) {
  const syntax::CallPart& part = callback.call.parts.front();
  const std::string& name = part.name.text;
  if (name == "checkpoint" && callback.call.parts.size() == 1) {
    read_checkpoint(part, lines, file);
  } else if (std::ranges::find(kLaterCallbacks, name) != std::end(kLaterCallbacks)) {
    file.diagnostics.report(part.name.range, messages::kNotYetSupported, fmt::format("'{}'", name));
  } else {
    auto report = file.diagnostics.report(part.name.range, messages::kUnknownCallback, name);
    if (const auto near = nearest(name, {"checkpoint", "early_stop", "reduce_lr"}); !near.empty()) {
      report.help(fmt::format("did you mean {}?", near));
    }
  }
}

void read_statement(const syntax::ConfigStatement& statement, Settings& settings, TrainLines& lines,
                    const FileScope& file) {
  if (const auto* setting = std::get_if<syntax::Setting>(&statement.form)) {
    add_setting(*setting, kTrainSettings, settings, file.diagnostics);
  } else if (const auto* callback = std::get_if<syntax::Callback>(&statement.form)) {
    read_callback(*callback, lines, file);
  } else if (std::holds_alternative<syntax::InitWeights>(statement.form)) {
    file.diagnostics.report(statement.range, messages::kNotYetSupported, "'init'");
  } else if (std::holds_alternative<syntax::ParameterGroup>(statement.form)) {
    file.diagnostics.report(statement.range, messages::kNotYetSupported, "'group'");
  } else if (const auto* transforms = std::get_if<syntax::Transforms>(&statement.form)) {
    file.diagnostics.report(transforms->kind.range, messages::kNotInHere, "train")
        .help(fmt::format("'{}' belongs to the data", transforms->kind.text));
  }
}

}  // namespace

std::optional<TrainLines> read_train(const syntax::TrainItem& item, Range range,
                                     std::optional<std::int64_t> batch, const FileScope& file) {
  const int errors = file.diagnostics.errors();
  TrainLines lines;
  lines.training.data_name = item.data.text;
  if (item.recipe) {
    // A recipe of this file is reported where it is declared.
    if (!file.broken.contains(item.recipe->parts.front().name.text)) {
      file.diagnostics.report(item.recipe->range, messages::kNotYetSupported, "'using' a recipe");
    }
    return std::nullopt;
  }
  Settings settings;
  static const std::vector<syntax::ConfigStatement> kNone;
  for (const syntax::ConfigStatement& statement : item.config ? item.config->statements : kNone) {
    read_statement(statement, settings, lines, file);
  }
  bool well = read_loss(settings, lines, file);
  well &= read_metrics(settings, lines, file);
  well &= read_numbers(item, settings, range, batch, lines, file);
  auto phases = read_phases(item, settings, range, file);
  if (!well || !phases || file.diagnostics.errors() != errors) return std::nullopt;
  lines.phases = std::move(*phases);
  return lines;
}

}  // namespace cnnc::sema
