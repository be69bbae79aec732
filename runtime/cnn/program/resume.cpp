// Whether a saved run and a program with its arguments are the same training.
#include "resume.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cnn/core/instructions.hpp"
#include "cnn/core/sgemm.hpp"
#include "errors.hpp"
#include "machine.hpp"

namespace cnn::program {
namespace {

std::vector<int> epochs_of_spec(const ModelDescription& model) {
  std::vector<int> epochs;
  for (const PhaseDescription& phase : model.training.phases) epochs.push_back(phase.epochs);
  return epochs;
}

/// Lines about epochs that can't be had: a phase that is over keeps its number, and others don't shrink.
std::vector<std::string> epoch_differences(const RunRecord& saved, const std::vector<int>& wanted,
                                           const ModelDescription& model) {
  std::vector<std::string> lines;
  const std::vector<int>& had = saved.settings.epochs;
  for (std::size_t phase = 0; phase < wanted.size(); ++phase) {
    const bool over = static_cast<int>(phase) < saved.phase;
    if (wanted[phase] == had[phase] || (wanted[phase] > had[phase] && !over)) continue;
    lines.push_back(fmt::format("epochs of phase {}: the run has {}, now {} ({})",
                                model.training.phases[phase].name, had[phase], wanted[phase],
                                over ? "that phase is over" : "they can only be raised"));
  }
  return lines;
}

std::vector<int> wanted_epochs(const RunRecord& saved, const TrainOptions& options,
                               const ModelDescription& model) {
  if (options.epochs) return std::vector<int>(model.training.phases.size(), *options.epochs);
  const std::vector<int> spec = epochs_of_spec(model);
  return spec == saved.settings.spec_epochs ? saved.settings.epochs : spec;
}

}  // namespace

RunSettings new_settings(const TrainOptions& options, const ModelDescription& model) {
  RunSettings settings;
  settings.spec_hash = model.spec_hash;
  settings.seed = options.seed.value_or(model.training.seed);
  settings.batch = options.batch.value_or(model.batch);
  settings.version = model.version;
  settings.instruction_set = instruction_set();
  settings.blas = blas_description();
  settings.spec_epochs = epochs_of_spec(model);
  settings.epochs = settings.spec_epochs;
  if (options.epochs) settings.epochs.assign(settings.spec_epochs.size(), *options.epochs);
  return settings;
}

RunSettings resumed_settings(const RunRecord& saved, const TrainOptions& options,
                             const ModelDescription& model, const std::string& folder) {
  RunSettings settings = new_settings(options, model);
  std::vector<std::string> differences;
  if (saved.settings.spec_hash != settings.spec_hash) {
    differences.push_back(
        fmt::format("spec: the run has hash {}, this program {} (run.json has the run's spec)",
                    saved.settings.spec_hash, settings.spec_hash));
  } else {
    settings.epochs = wanted_epochs(saved, options, model);
    differences = epoch_differences(saved, settings.epochs, model);
  }
  if (options.seed && saved.settings.seed != *options.seed)
    differences.push_back(fmt::format("seed: the run has {}, now {}", saved.settings.seed, *options.seed));
  if (options.batch && saved.settings.batch != *options.batch)
    differences.push_back(fmt::format("batch: the run has {}, now {}", saved.settings.batch, *options.batch));
  if (!options.batch && saved.settings.batch > model.batch)
    differences.push_back(fmt::format("batch: the run has {}, this program is planned for at most {}",
                                      saved.settings.batch, model.batch));
  if (!differences.empty())
    throw UserError(fmt::format(
        "{} can't be resumed: it is another training\n  {}\nGive this one a folder of its own with "
        "--out, or begin anew with --overwrite",
        folder, fmt::join(differences, "\n  ")));
  settings.seed = saved.settings.seed;
  settings.batch = saved.settings.batch;
  return settings;
}

std::vector<std::string> resume_warnings(const RunSettings& saved, const RunSettings& now) {
  std::vector<std::string> lines;
  const auto note = [&](const char* what, const std::string& before, const std::string& after) {
    if (before != after) lines.push_back(fmt::format("{}: the run has {}, now {}", what, before, after));
  };
  note("compiler version", saved.version, now.version);
  note("instruction set", saved.instruction_set, now.instruction_set);
  note("BLAS", saved.blas, now.blas);
  return lines;
}

}  // namespace cnn::program
