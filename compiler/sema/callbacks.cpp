// Callbacks of a train or a phase, and the settings of groups.
#include <algorithm>

#include "sema/foreign_names.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

// False after a message.
bool is_file_name(const std::string& name, Range range, Diagnostics& diagnostics) {
  if (!name.empty() && name.find_first_of("/\\") == std::string::npos && name != "." && name != "..") return true;
  if (name.empty()) {
    diagnostics.report(range, messages::kWrongType, "file", "checkpoint", "a file name in quotes", "the text \"\"");
  } else {
    diagnostics.report(range, messages::kCheckpointFolder).help("outputs go below --out: give the file's name only");
  }
  return false;
}

void add(const Chosen& chosen, ir::Callbacks& callbacks, TrainLines& lines, Diagnostics& diagnostics) {
  const ir::ArgumentValues& arguments = chosen.arguments.values;
  const std::string& figure = arguments.word("monitor");
  lines.monitors.push_back({figure, chosen.arguments.value_range("monitor")});
  const std::string_view name = chosen.callable->name;
  std::vector<ir::NotYet>& not_yet = lines.training.not_yet;
  if (name == "checkpoint") {
    const std::string& file = *arguments.at("file").as<std::string>();
    const Range range = chosen.arguments.value_range("file");
    if (!is_file_name(file, range, diagnostics)) return;
    const auto [first, fresh] = lines.checkpoint_files.try_emplace(file, range);
    if (!fresh) diagnostics.report(range, messages::kCheckpointTwice, file).also(first->second, "the first");
    if (figure.starts_with("train_")) not_yet.push_back({chosen.range, "a checkpoint of a train_ figure"});
    callbacks.checkpoints.push_back({file, figure});
  } else if (name == "early_stop") {
    callbacks.early_stops.push_back({figure, arguments.integer("patience"), arguments.number("min_delta"),
                                     arguments.word("restore") == "best"});
    not_yet.push_back({chosen.range, "'early_stop'"});
  } else {
    callbacks.reductions.push_back({figure, arguments.number("factor"), arguments.integer("patience"),
                                    arguments.number("min_delta"), arguments.number("min_lr")});
    not_yet.push_back({chosen.range, "'reduce_lr'"});
  }
}

}  // namespace

void read_callback(const syntax::Callback& callback, const ConfigScope& scope, ir::Callbacks& callbacks, TrainLines& lines) {
  const FileScope& file = *scope.file;
  const syntax::CallPart& part = callback.call.parts.front();
  const std::string& name = part.name.text;
  const auto& table = sema::callbacks();
  const auto found = std::ranges::find(table, name, &Callable::name);
  if (found == table.end() || callback.call.parts.size() > 1) {
    auto report = file.diagnostics.report(part.name.range, messages::kUnknownCallback, name);
    if (const auto foreign = foreign_word("callback", name); !foreign.empty()) report.help(std::string(foreign));
    else if (const auto near = nearest(name, names_of(table)); !near.empty()) report.help(fmt::format("did you mean {}?", near));
    return;
  }
  auto arguments = check_arguments({found->name, part.name.range, found->arguments}, part.arguments, file.ops,
                                   scope.environment(), file.diagnostics);
  if (arguments) add({&*found, std::move(*arguments), callback.call.range}, callbacks, lines, file.diagnostics);
}

std::optional<GroupLine> read_group(const syntax::ParameterGroup& group, const ConfigScope& scope) {
  const FileScope& file = *scope.file;
  static const SettingNames kNames{"group", names_of(group_settings())};
  const int errors = file.diagnostics.errors();
  const ConfigScope unnoted{scope.file, scope.values};  // the caller's messages say already where a recipe is used
  Settings settings;
  for (const syntax::ConfigStatement& statement : group.config.statements) {
    if (const auto* setting = std::get_if<syntax::Setting>(&statement.form)) {
      add_setting(*setting, kNames, settings, file.diagnostics, &unnoted);
    } else {
      file.diagnostics.report(statement.range, messages::kNotInHere, "group").help("a group takes lr and weight_decay");
    }
  }
  if (settings.empty() && file.diagnostics.errors() == errors) {
    file.diagnostics.report(group.config.range, messages::kMissingSetting, "the group", "lr or weight_decay");
  }
  constexpr NumberBounds kBounds{0, 1000, "a number from 0 to 1000"};
  const NumberSetting weight_decay = number_setting("weight_decay", settings, kBounds, file, false);
  // --set lr= is for the optimizer: a group says how it differs from that.
  const NumberSetting rate = number_setting("lr", settings, kBounds, file, false);
  if (rate.failed || weight_decay.failed || file.diagnostics.errors() != errors) return std::nullopt;
  return GroupLine{{&group, &scope}, rate.value, weight_decay.value};
}

}  // namespace cnnc::sema
