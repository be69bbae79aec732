// The phases of a train, each with its own epochs, optimizer, freeze lines and callbacks. A train without phases has one, "main".
#include <algorithm>

#include "sema/foreign_names.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

constexpr std::int64_t kMaxEpochs = 1'000'000;

// A setting of the phase, else the train's; null where neither gives it.
const WrittenSetting* own_or_train(std::string_view name, const Settings& own, const Settings& train) {
  if (const auto found = own.find(name); found != own.end()) return &found->second;
  const auto found = train.find(name);
  return found == train.end() ? nullptr : &found->second;
}

class PhaseReader {
 public:
  PhaseReader(const Settings& train, const std::string& owner, bool first, TrainLines& lines, const FileScope& file)
      : train_(train), owner_(owner), first_(first), lines_(lines), file_(file) {}

  // Reads what `own` and the train give; false after a message.
  bool read(const Settings& own, PhaseLines& phase) {
    const int errors = file_.diagnostics.errors();
    const auto epochs = integer_setting("epochs", own.contains("epochs") ? own : train_, {1, kMaxEpochs}, 0, file_);
    if (epochs && *epochs == 0) {
      file_.diagnostics.report(phase.range, messages::kMissingSetting, owner_, "epochs").help("epochs = 10");
    }
    phase.phase.epochs = epochs.value_or(0);
    optimizer(own, phase);
    if (phase.phase.epochs > 0) schedule(own, phase);
    clip_norm(own, phase);
    statistics(own, phase);
    return file_.diagnostics.errors() == errors;
  }

 private:
  void not_yet(Range range, std::string what) { lines_.training.not_yet.push_back({range, std::move(what)}); }

  // The train's optimizer is the first phase's; a later one without its own goes on with the one before.
  void optimizer(const Settings& own, PhaseLines& phase) {
    const WrittenSetting* written = own_or_train("optimizer", own, first_ ? train_ : own);
    if (written != nullptr) {
      phase.phase.optimizer = read_optimizer(*written, file_);
      const bool later = phase.phase.optimizer && phase.phase.optimizer->kind == ir::Optimizer::Kind::kRmsprop;
      if (later) not_yet((*written)->value->range, "the optimizer 'rmsprop'");
    } else if (first_) {
      file_.diagnostics.report(phase.range, messages::kMissingSetting, owner_, "an optimizer")
          .help("optimizer = adam(lr=1e-3)");
    }
  }

  void schedule(const Settings& own, PhaseLines& phase) {
    const WrittenSetting* written = own_or_train("schedule", own, train_);
    if (written == nullptr) return;
    const auto schedule = read_schedule(*written, phase.phase.epochs, file_);
    if (!schedule) return;
    phase.phase.schedule = *schedule;
    if (schedule->kind != ir::Schedule::Kind::kConstant || schedule->warmup > 0) not_yet((*written)->value->range, "a schedule");
  }

  void clip_norm(const Settings& own, PhaseLines& phase) {
    const auto clip = number_setting("clip_norm", own.contains("clip_norm") ? own : train_, 1e-12, 1e12, file_);
    if (!clip.value) return;
    phase.phase.clip_norm = *clip.value;
    const WrittenSetting* written = own_or_train("clip_norm", own, train_);
    not_yet(written != nullptr ? (*written)->name.range : phase.range, "'clip_norm'");
  }

  void statistics(const Settings& own, PhaseLines& phase) {
    const auto found = own.find("bn_stats");
    if (found == own.end()) return;
    const auto value = setting_value(found->second, file_);
    if (!value || !check_word(*value, found->second->value->range, "bn_stats", {"update"}, file_.diagnostics)) return;
    phase.phase.updates_frozen_statistics = true;
    not_yet(found->second->name.range, "'bn_stats = update'");
  }

  const Settings& train_;
  const std::string& owner_;
  bool first_;
  TrainLines& lines_;
  const FileScope& file_;
};

// Sorts a phase's statements into settings, freeze lines, groups and callbacks.
void read_statements(const Scoped<syntax::Phase>& phase, Settings& own, PhaseLines& read, TrainLines& lines) {
  const ConfigScope& scope = *phase.scope;
  Diagnostics& diagnostics = scope.file->diagnostics;
  static const SettingNames kNames{"phase", names_of(phase_settings())};
  for (const syntax::ConfigStatement& statement : phase.line->config.statements) {
    if (const auto* freezing = std::get_if<syntax::Freezing>(&statement.form)) {
      read.freezing.push_back({freezing, &scope});
    } else if (const auto* setting = std::get_if<syntax::Setting>(&statement.form)) {
      const auto of_train = names_of(train_settings());
      const bool known = std::ranges::find(kNames.known, setting->name.text) != kNames.known.end();
      if (!known && std::ranges::find(of_train, setting->name.text) != of_train.end()) {
        diagnostics.report(setting->name.range, messages::kBelongsToTrain, setting->name.text);
      } else {
        add_setting(*setting, kNames, own, diagnostics, scope.values);
      }
    } else if (const auto* group = std::get_if<syntax::ParameterGroup>(&statement.form)) {
      if (auto line = read_group(*group, scope)) read.groups.push_back(std::move(*line));
    } else if (const auto* callback = std::get_if<syntax::Callback>(&statement.form)) {
      read_callback(*callback, scope, read.phase.callbacks, lines);
      if (!read.phase.callbacks.checkpoints.empty()) lines.training.not_yet.push_back({statement.range, "'checkpoint' in a phase"});
    } else {
      diagnostics.report(statement.range, messages::kNotInHere, "phase")
          .help("a phase takes freeze, unfreeze, group, callbacks and its settings");
    }
  }
}

// The phases as they are written; one of the train stands for the recipe's of the same name.
std::vector<Scoped<syntax::Phase>> written_phases(const ConfigLines& config) {
  std::vector<Scoped<syntax::Phase>> phases;
  for (const auto& line : config) {
    const auto* phase = std::get_if<syntax::Phase>(&line.line->form);
    if (phase == nullptr) continue;
    const auto before = std::ranges::find_if(phases, [&](const auto& one) { return one.line->name.text == phase->name.text; });
    if (before == phases.end()) {
      phases.push_back({phase, line.scope});
    } else if (before->scope != line.scope) {
      *before = {phase, line.scope};
    } else {
      line.scope->file->diagnostics.report(phase->name.range, messages::kNameTaken, phase->name.text)
          .also(before->line->name.range, "the first phase of this name");
    }
  }
  return phases;
}

}  // namespace

std::optional<std::vector<PhaseLines>> read_phases(const ConfigLines& config, const Settings& settings, const std::string& owner,
                                                   Range range, TrainLines& lines, const FileScope& file) {
  const int errors = file.diagnostics.errors();
  const auto written = written_phases(config);
  std::vector<Scoped<syntax::Freezing>> loose;
  for (const auto& line : config) {
    if (const auto* freezing = std::get_if<syntax::Freezing>(&line.line->form)) loose.push_back({freezing, line.scope});
  }
  std::vector<PhaseLines> phases;
  if (written.empty()) {
    PhaseLines only{.phase = {}, .range = range, .freezing = loose, .groups = {}};
    only.phase.name = "main";
    only.phase.line = file.sources.line(range);
    PhaseReader(settings, owner, true, lines, file).read({}, only);
    phases.push_back(std::move(only));
  }
  for (const auto& freezing : written.empty() ? std::vector<Scoped<syntax::Freezing>>() : loose) {
    const std::vector<syntax::Selector>& selectors = freezing.line->selectors;
    file.diagnostics.report(selectors.empty() ? range : selectors.front().range, messages::kFreezeBesidePhases)
        .help("each phase starts from everything trainable: write the line in each phase that wants it");
  }
  for (const auto& phase : written) {
    const InScope in_scope(*phase.scope);
    PhaseLines read{.phase = {}, .range = phase.line->name.range, .freezing = {}, .groups = {}};
    read.phase.name = phase.line->name.text;
    read.phase.line = file.sources.line(phase.line->name.range);
    Settings own;
    read_statements(phase, own, read, lines);
    PhaseReader(settings, "phase " + read.phase.name, phases.empty(), lines, file).read(own, read);
    phases.push_back(std::move(read));
  }
  return file.diagnostics.errors() == errors ? std::optional(std::move(phases)) : std::nullopt;
}

}  // namespace cnnc::sema
