// The phases of a train, each with its own epochs, optimizer, freeze lines and callbacks. A train without phases has one, "main".
#include <algorithm>
#include <set>

#include "sema/foreign_names.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

constexpr std::int64_t kMaxEpochs = 1'000'000;

// Which of the train's settings some phase has taken.
using Taken = std::set<std::string_view>;

class PhaseReader {
 public:
  // `scope`: where the phase is written; null: it is the train's only one.
  PhaseReader(const Settings& train, const std::string& owner, const ConfigScope* scope, Taken& taken, TrainLines& lines,
              const FileScope& file)
      : train_(train), owner_(owner), scope_(scope), taken_(taken), lines_(lines), file_(file) {}

  // Reads what `own` and the train give; mistakes are reported.
  void read(const Settings& own, bool first, PhaseLines& phase) {
    const auto epochs = integer_setting("epochs", own_or_train("epochs", own), {1, kMaxEpochs}, 0, file_);
    if (epochs && *epochs == 0) missing(phase.range, "epochs", "epochs = 10");
    phase.phase.epochs = epochs.value_or(0);
    optimizer(own, first, phase);
    schedule(own, phase);
    clip_norm(own, phase);
    statistics(own, phase);
  }

 private:
  void not_yet(Range range, std::string what) { lines_.training.not_yet.push_back({range, std::move(what)}); }

  void missing(Range range, std::string_view what, std::string help) {
    const InScope in_scope(scope_);
    file_.diagnostics.report(range, messages::kMissingSetting, owner_, what).help(std::move(help));
  }

  // Which of them gives a setting: the phase, else the train.
  const Settings& own_or_train(std::string_view name, const Settings& own) {
    if (own.contains(name)) return own;
    taken_.insert(name);
    return train_;
  }

  static const WrittenSetting* written(std::string_view name, const Settings& settings) {
    const auto found = settings.find(name);
    return found == settings.end() ? nullptr : &found->second;
  }

  // The train's optimizer is the first phase's; a later one without its own goes on with the one before.
  void optimizer(const Settings& own, bool first, PhaseLines& phase) {
    const WrittenSetting* setting = written("optimizer", first ? own_or_train("optimizer", own) : own);
    if (setting != nullptr) {
      phase.phase.optimizer = read_optimizer(*setting, file_);
    } else if (first) {
      missing(phase.range, "an optimizer", "optimizer = adam(lr=1e-3)");
    }
  }

  void schedule(const Settings& own, PhaseLines& phase) {
    const WrittenSetting* setting = written("schedule", own_or_train("schedule", own));
    if (setting == nullptr || phase.phase.epochs == 0) return;  // nothing to hold it against
    const auto schedule = read_schedule(*setting, phase.phase.epochs, file_);
    if (!schedule) return;
    phase.phase.schedule = *schedule;
    if (schedule->kind != ir::Schedule::Kind::kConstant || schedule->warmup > 0) not_yet((*setting)->value->range, "a schedule");
  }

  void clip_norm(const Settings& own, PhaseLines& phase) {
    constexpr NumberBounds kBounds{1e-12, 1e12, "a number above 0"};
    const Settings& settings = own_or_train("clip_norm", own);
    const auto clip = number_setting("clip_norm", settings, kBounds, file_);
    if (!clip.value) return;
    phase.phase.clip_norm = *clip.value;
    const WrittenSetting* setting = written("clip_norm", settings);
    not_yet(setting != nullptr ? (*setting)->name.range : phase.range, "'clip_norm'");
  }

  void statistics(const Settings& own, PhaseLines& phase) {
    const WrittenSetting* setting = written("bn_stats", own);
    if (setting == nullptr) return;
    const auto value = setting_value(*setting, file_);
    const InScope in_scope(setting->scope);
    if (!value || !check_word(*value, (*setting)->value->range, "bn_stats", {"update"}, file_.diagnostics)) return;
    phase.phase.updates_frozen_statistics = true;
    not_yet((*setting)->name.range, "'bn_stats = update'");
  }

  const Settings& train_;
  const std::string& owner_;
  const ConfigScope* scope_;
  Taken& taken_;
  TrainLines& lines_;
  const FileScope& file_;
};

void read_phase_callback(const syntax::Callback& callback, const ConfigScope& scope, PhaseLines& phase, TrainLines& lines) {
  const std::size_t checkpoints = phase.phase.callbacks.checkpoints.size();
  read_callback(callback, scope, phase.phase.callbacks, lines);
  if (phase.phase.callbacks.checkpoints.size() == checkpoints) return;
  lines.training.not_yet.push_back({callback.call.range, "'checkpoint' in a phase"});
}

// Sorts a phase's statements into settings, freeze lines, groups and callbacks.
void read_statements(const Scoped<syntax::Phase>& phase, Settings& own, PhaseLines& read, TrainLines& lines) {
  const ConfigScope& scope = *phase.scope;
  const InScope in_scope(scope);
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
        add_setting(*setting, kNames, own, diagnostics, &scope);
      }
    } else if (const auto* group = std::get_if<syntax::ParameterGroup>(&statement.form)) {
      if (auto line = read_group(*group, scope)) read.groups.push_back(std::move(*line));
    } else if (const auto* callback = std::get_if<syntax::Callback>(&statement.form)) {
      read_phase_callback(*callback, scope, read, lines);
    } else {
      diagnostics.report(statement.range, messages::kNotInHere, "phase")
          .help("a phase takes freeze, unfreeze, group, callbacks and its settings");
    }
  }
}

// What the train itself says for its phases must reach one. A recipe can't know which of its phases a train replaces.
void report_unused(const Settings& settings, const Taken& taken, Diagnostics& diagnostics) {
  for (const std::string_view name : {"epochs", "optimizer", "schedule", "clip_norm"}) {
    const auto found = settings.find(name);
    if (found == settings.end() || found->second.scope->used || taken.contains(name)) continue;
    auto report = diagnostics.report(found->second->name.range, messages::kUnusedSetting, name);
    report.help(name == "optimizer" ? "the first phase has its own, and a phase without one goes on with that of the phase before"
                                    : "every phase has its own");
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
  Taken taken;
  if (written.empty()) {
    PhaseLines only{.phase = {}, .range = range, .freezing = loose, .groups = {}};
    only.phase.name = "main";
    only.phase.line = file.sources.line(range);
    PhaseReader(settings, owner, nullptr, taken, lines, file).read({}, true, only);
    phases.push_back(std::move(only));
  }
  for (const auto& freezing : written.empty() ? std::vector<Scoped<syntax::Freezing>>() : loose) {
    const std::vector<syntax::Selector>& selectors = freezing.line->selectors;
    file.diagnostics.report(selectors.empty() ? range : selectors.front().range, messages::kFreezeBesidePhases)
        .help("each phase starts from everything trainable: write the line in each phase that wants it");
  }
  for (const auto& phase : written) {
    PhaseLines read{.phase = {}, .range = phase.line->name.range, .freezing = {}, .groups = {}};
    read.phase.name = phase.line->name.text;
    read.phase.line = file.sources.line(phase.line->name.range);
    Settings own;
    read_statements(phase, own, read, lines);
    const std::string name = "phase " + read.phase.name;
    PhaseReader(settings, name, phase.scope, taken, lines, file).read(own, phases.empty(), read);
    phases.push_back(std::move(read));
  }
  report_unused(settings, taken, file.diagnostics);
  return file.diagnostics.errors() == errors ? std::optional(std::move(phases)) : std::nullopt;
}

}  // namespace cnnc::sema
