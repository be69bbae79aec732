// `train M on D { … }`: settings, phases, callbacks, and whether model and data fit together.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sema/choose.hpp"
#include "sema/data.hpp"
#include "sema/models.hpp"
#include "sema/settings.hpp"

namespace cnnc::sema {

/// The settings that `--set` reaches in every train.
inline constexpr std::string_view kOverridableSettings[] = {"batch", "epochs", "seed", "save_every", "lr", "clip_norm"};

/// A line whose selectors wait for a model.
template <class Line>
struct Scoped {
  const Line* line;
  const ConfigScope* scope;
};

struct GroupLine {
  Scoped<syntax::ParameterGroup> written;
  std::optional<double> learning_rate;
  std::optional<double> weight_decay;
};

/// A figure that something watches, and where that is written.
struct Monitor {
  std::string figure;
  Range range;
};

/// A phase before its selectors are resolved against a model.
struct PhaseLines {
  ir::Phase phase;
  Range range;
  std::vector<Scoped<syntax::Freezing>> freezing;
  std::vector<GroupLine> groups;
};

/// Everything a train says that does not depend on the model.
struct TrainLines {
  ir::Training training;  // without phases
  std::optional<Range> loss_range;
  std::map<std::string, Range> metric_ranges;
  std::vector<Monitor> monitors;
  std::map<std::string, Range> checkpoint_files;  // where each is first written
  std::vector<Scoped<syntax::InitWeights>> initial_weights;
  std::vector<GroupLine> groups;  // in every phase, before its own
  std::vector<PhaseLines> phases;
  std::shared_ptr<const void> owned;  // scopes that lines refer to
};

/// Reads a train's config; `batch` is the data's, where it gives one. None where there is a mistake.
std::optional<TrainLines> read_train(const syntax::TrainItem& item, Range range,
                                     std::optional<std::int64_t> batch, const FileScope& file);

std::optional<ir::Optimizer> read_optimizer(const WrittenSetting& setting, const FileScope& file);
std::optional<ir::Schedule> read_schedule(const WrittenSetting& setting, std::int64_t epochs, const FileScope& file);

/// Reads a callback into `callbacks` and what it watches into `lines`.
void read_callback(const syntax::Callback& callback, const ConfigScope& scope, ir::Callbacks& callbacks, TrainLines& lines);

/// Reads the settings of a group; none after a message.
std::optional<GroupLine> read_group(const syntax::ParameterGroup& group, const ConfigScope& scope);

/// The statements of a train's config and of its recipe's, with whose names they mean.
using ConfigLines = std::vector<Scoped<syntax::ConfigStatement>>;

/// The phases of a train with everything explicit; a phase of the train takes the place of the recipe's of the same name. None
/// after a message.
std::optional<std::vector<PhaseLines>> read_phases(const ConfigLines& config, const Settings& settings, const std::string& owner,
                                                   Range range, TrainLines& lines, const FileScope& file);

/// Gives `training` the parts of `model` whose weights come from files; reports those that are not there.
void resolve_initial_weights(const TrainLines& lines, const ExpandedModel& model, ir::Training& training);

/// The training of `model` on `data`; none after a message: selectors that match nothing, classes or shapes that disagree.
std::optional<ir::Training> check_training(const TrainLines& lines, const ExpandedModel& model,
                                           DataFacts& data, const FileScope& file);

}  // namespace cnnc::sema
