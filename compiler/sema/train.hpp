// `train M on D { … }`: settings, phases, and whether model and data fit together.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sema/data.hpp"
#include "sema/models.hpp"
#include "sema/settings.hpp"

namespace cnnc::sema {

/// The settings that `--set` reaches in every train.
inline constexpr std::string_view kOverridableSettings[] = {"batch", "epochs", "seed", "save_every", "lr"};

/// A phase before its selectors are resolved against a model.
struct PhaseLines {
  ir::Phase phase;
  Range range;
  std::vector<const syntax::Freezing*> freezing;
};

/// Everything a train says that does not depend on the model.
struct TrainLines {
  ir::Training training;  // without phases
  std::optional<Range> loss_range;
  std::vector<std::pair<std::string, Range>> monitors;
  std::vector<PhaseLines> phases;
};

/// Reads a train's config; `batch` is the data's, where it gives one. None where there is a mistake.
std::optional<TrainLines> read_train(const syntax::TrainItem& item, Range range,
                                     std::optional<std::int64_t> batch, const FileScope& file);

/// The optimizer that an expression such as `adam(lr=1e-3)` means, with `--set lr=` applied; none after a
/// message.
std::optional<ir::Optimizer> read_optimizer(const syntax::Expression& expression, const FileScope& file);

/// The phases of a train with everything explicit; none after a message.
std::optional<std::vector<PhaseLines>> read_phases(const syntax::TrainItem& item, const Settings& settings,
                                                   Range range, const FileScope& file);

/// The training of `model` on `data`; none after a message: selectors that match nothing, classes or shapes
/// that disagree.
std::optional<ir::Training> check_training(const TrainLines& lines, const ExpandedModel& model,
                                           DataFacts& data, const FileScope& file);

}  // namespace cnnc::sema
