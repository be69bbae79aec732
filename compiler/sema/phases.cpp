// The phases of a train, each with its own epochs, optimizer and freeze lines. A train without phases has
// one, "main".
#include <algorithm>

#include "sema/foreign_names.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

constexpr std::int64_t kMaxEpochs = 1'000'000;

// The epochs of a phase, else of its train; none after a message.
std::optional<std::int64_t> read_epochs(const Settings& own, const Settings& train, Range range,
                                        const std::string& owner, const FileScope& file) {
  const Settings& from = own.contains("epochs") ? own : train;
  const auto epochs = integer_setting("epochs", from, {1, kMaxEpochs}, 0, file);
  if (!epochs || *epochs > 0) return epochs;
  file.diagnostics.report(range, messages::kMissingSetting, owner, "epochs").help("epochs = 10");
  return std::nullopt;
}

// The optimizer of a phase; the train's is the first phase's. False after a message.
bool read_phase_optimizer(const Settings& own, const Settings& train, bool first, const std::string& owner,
                          PhaseLines& lines, const FileScope& file) {
  const Settings& from = own.contains("optimizer") || !first ? own : train;
  const auto found = from.find("optimizer");
  if (found != from.end()) {
    lines.phase.optimizer = read_optimizer(*found->second->value, file);
    return lines.phase.optimizer.has_value();
  }
  if (!first) return true;  // carried over
  file.diagnostics.report(lines.range, messages::kMissingSetting, owner, "an optimizer")
      .help("optimizer = adam(lr=1e-3)");
  return false;
}

// Sorts a phase's statements into settings and freeze lines.
void read_statements(const syntax::Phase& phase, Settings& own, PhaseLines& lines, const FileScope& file) {
  const SettingNames names{"phase", {"epochs", "optimizer"}, {"schedule", "bn_stats", "clip_norm"}};
  constexpr std::string_view kOfTrain[] = {"loss", "metrics", "batch", "seed", "save_every"};
  for (const syntax::ConfigStatement& statement : phase.config.statements) {
    if (const auto* freezing = std::get_if<syntax::Freezing>(&statement.form)) {
      lines.freezing.push_back(freezing);
    } else if (const auto* setting = std::get_if<syntax::Setting>(&statement.form)) {
      if (std::ranges::find(kOfTrain, setting->name.text) == std::end(kOfTrain)) {
        add_setting(*setting, names, own, file.diagnostics);
      } else {
        file.diagnostics.report(setting->name.range, messages::kBelongsToTrain, setting->name.text);
      }
    } else if (const auto* group = std::get_if<syntax::ParameterGroup>(&statement.form); group != nullptr) {
      file.diagnostics.report(statement.range, messages::kNotYetSupported, "'group'");
    } else if (const auto* callback = std::get_if<syntax::Callback>(&statement.form)) {
      file.diagnostics.report(statement.range, messages::kNotYetSupported,
                              fmt::format("'{}' in a phase", callback->call.parts.front().name.text));
    } else {
      file.diagnostics.report(statement.range, messages::kNotInHere, "phase")
          .help("a phase takes freeze, unfreeze, epochs and optimizer");
    }
  }
}

std::optional<PhaseLines> read_phase(const syntax::Phase& phase, const Settings& train, bool first,
                                     const FileScope& file) {
  PhaseLines lines{.phase = {}, .range = phase.name.range, .freezing = {}};
  lines.phase.name = phase.name.text;
  lines.phase.line = file.sources.line(phase.name.range);
  const int errors = file.diagnostics.errors();
  Settings own;
  read_statements(phase, own, lines, file);
  const std::string owner = fmt::format("phase {}", phase.name.text);
  const auto epochs = read_epochs(own, train, phase.name.range, owner, file);
  const bool well = read_phase_optimizer(own, train, first, owner, lines, file);
  if (!epochs || !well || file.diagnostics.errors() != errors) return std::nullopt;
  lines.phase.epochs = *epochs;
  return lines;
}

std::optional<PhaseLines> only_phase(const syntax::TrainItem& item, const Settings& settings, Range range,
                                     const FileScope& file) {
  PhaseLines lines{.phase = {}, .range = range, .freezing = {}};
  lines.phase.name = "main";
  lines.phase.line = file.sources.line(range);
  const std::string owner = fmt::format("the train on {}", item.data.text);
  const auto epochs = read_epochs(settings, settings, range, owner, file);
  if (!read_phase_optimizer(settings, settings, true, owner, lines, file) || !epochs) return std::nullopt;
  lines.phase.epochs = *epochs;
  return lines;
}

}  // namespace

std::optional<std::vector<PhaseLines>> read_phases(const syntax::TrainItem& item, const Settings& settings,
                                                   Range range, const FileScope& file) {
  std::vector<const syntax::Phase*> written;
  std::vector<const syntax::Freezing*> loose;
  static const std::vector<syntax::ConfigStatement> kNone;
  bool well = true;
  for (const syntax::ConfigStatement& statement : item.config ? item.config->statements : kNone) {
    if (const auto* freezing = std::get_if<syntax::Freezing>(&statement.form)) loose.push_back(freezing);
    const auto* phase = std::get_if<syntax::Phase>(&statement.form);
    if (phase == nullptr) continue;
    for (const syntax::Phase* before : written) {
      if (before->name.text != phase->name.text) continue;
      file.diagnostics.report(phase->name.range, messages::kNameTaken, phase->name.text)
          .also(before->name.range, "the first phase of this name");
      well = false;
    }
    written.push_back(phase);
  }
  std::vector<PhaseLines> phases;
  if (written.empty()) {
    auto lines = only_phase(item, settings, range, file);
    if (!lines) return std::nullopt;
    lines->freezing = loose;
    phases.push_back(std::move(*lines));
    return phases;
  }
  for (const syntax::Freezing* freezing : loose) {
    const std::vector<syntax::Selector>& selectors = freezing->selectors;
    file.diagnostics
        .report(selectors.empty() ? range : selectors.front().range, messages::kFreezeBesidePhases)
        .help("each phase starts from everything trainable: write the line in each phase that wants it");
    well = false;
  }
  for (const syntax::Phase* phase : written) {
    auto lines = read_phase(*phase, settings, phase == written.front(), file);
    well &= lines.has_value();
    if (lines) phases.push_back(std::move(*lines));
  }
  return well ? std::optional(std::move(phases)) : std::nullopt;
}

}  // namespace cnnc::sema
