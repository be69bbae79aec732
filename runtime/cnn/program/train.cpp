// `train`: from options to a finished run. Everything that can go wrong is looked at before anything is
// changed.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "cnn/training/initialize.hpp"
#include "commands.hpp"
#include "data_place.hpp"
#include "describe.hpp"
#include "errors.hpp"
#include "evaluation.hpp"
#include "initial_weights.hpp"
#include "interrupt.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "resume.hpp"
#include "text.hpp"
#include "training_run.hpp"

namespace cnn::program {
namespace {

/// The options that name this run again: " --out DIR" where it is not the default.
std::string out_option(const TrainOptions& options, const ModelDescription& model) {
  if (options.out == fmt::format("{}-run", model.program)) return "";
  return fmt::format(" --out {}", options.out.string());
}

std::optional<SavedState> saved_state(const TrainOptions& options, const ModelDescription& model,
                                      const RunDirectory& directory) {
  if (!directory.has_state()) {
    if (options.resume)
      throw UserError(fmt::format("{} holds no state to resume: {} is missing", options.out.string(),
                                  directory.file(kStateFile).string()));
    return std::nullopt;
  }
  if (options.resume) return directory.read_state();
  if (!options.overwrite)
    throw UserError(
        fmt::format("{} holds a run already. Go on with it ('{}{} --resume'), begin anew in its place "
                    "(--overwrite), or name another folder (--out DIR)",
                    options.out.string(), invocation(model, "train"), out_option(options, model)));
  return std::nullopt;
}

void print_plan(const TrainOptions& options, const ModelDescription& model, const RunSettings& settings) {
  const std::string optimizer = optimizer_text(model.training.phases.front().optimizer);
  fmt::print("{} on {}: {} parameters, {}, batch {}, seed {}\n", model.name, model.data.name,
             with_commas(parameter_count(model)), optimizer, settings.batch, settings.seed);
  fmt::print("memory planned: {}\n", memory_text(model, options.threads));
  std::fflush(stdout);
}

void print_data(const Dataset& data, const std::filesystem::path& directory) {
  fmt::print("data: {} training, {} validation, {} test images from {}\n",
             with_commas(data.size(Part::kTrain)), with_commas(data.size(Part::kValidation)),
             with_commas(data.size(Part::kTest)), directory.string());
  std::fflush(stdout);
}

void require_data(const Dataset& data, const ModelDescription& model, const RunSettings& settings,
                  const std::optional<SavedState>& saved) {
  if (data.size(Part::kTrain) == 0)
    throw UserError(fmt::format("{} has no image left to train on", model.data.name));
  for (const CheckpointDescription& checkpoint : model.training.checkpoints)
    if (checkpoint.monitor.starts_with("val") && data.size(Part::kValidation) == 0)
      throw UserError(fmt::format("the checkpoint {} monitors {}, and there is no validation part",
                                  checkpoint.file, checkpoint.monitor));
  if (saved && saved->record.settings.data_fingerprint != settings.data_fingerprint)
    throw UserError(fmt::format(
        "the run can't be resumed: its data is not the same\n  fingerprint: the run has {}, now {}",
        saved->record.settings.data_fingerprint, settings.data_fingerprint));
}

/// Steps of an epoch that are behind, and where that does not fit the data, a state that can't be this run's.
void require_position(const RunRecord& record, const Dataset& data, const RunDirectory& directory) {
  const std::int64_t images = data.size(Part::kTrain);
  const std::int64_t done = std::min(record.step * record.settings.batch, images);
  if (record.tally.images != done)
    throw UserError(
        fmt::format("{}: the state says {} steps and {} images of an epoch, which do not go together",
                    directory.file(kStateFile).string(), record.step, record.tally.images));
}

void warn(const std::string& text) {
  std::fflush(stdout);
  fmt::print(stderr, "note: {}\n", text);
}

/// Brings everything to where the saved run was, and writes what follows from the state anew.
RunRecord resume(const SavedState& saved, const RunSettings& settings, Network& network, Optimizer& optimizer,
                 const RunDirectory& directory) {
  for (const std::string& line : resume_warnings(saved.record.settings, settings))
    warn(line + "; the results may differ in the last bits from those of an uninterrupted run");
  directory.restore(saved, network, optimizer);
  RunRecord record = saved.record;
  record.settings = settings;
  const auto checkpoints = network.description().training.checkpoints;
  for (std::size_t i = 0; i < checkpoints.size(); ++i)
    if (record.best[i] && !std::filesystem::exists(directory.file(std::string(checkpoints[i].file))))
      warn(fmt::format("{} is gone: the best weights, of epoch {}, can't be had back",
                       directory.file(std::string(checkpoints[i].file)).string(), record.best[i]->epoch));
  directory.save_derived(record, network);
  return record;
}

/// The weights that training begins with: random ones, and those of files.
void fill_network(const TrainOptions& options, std::uint64_t seed, Network& network) {
  initialize(network, seed);
  std::vector<std::string> notes;
  const std::vector<std::string> lines = load_initial_weights(network, options, notes);
  for (const std::string& note : notes) warn(note);
  if (options.quiet) return;
  for (const std::string& line : lines) fmt::print("{}\n", line);
  std::fflush(stdout);
}

RunRecord begin(const RunSettings& settings, Network& network, Optimizer& optimizer) {
  optimizer.begin_phase(0);
  RunRecord record;
  record.settings = settings;
  record.best.resize(network.description().training.checkpoints.size());
  return record;
}

/// Whether all epochs are done and their result is noted.
bool is_finished(RunRecord record, const RunSettings& settings, const RunDirectory& directory) {
  record.settings = settings;
  return record.complete() && report_has_result(directory.file(kReportFile));
}

double training_seconds(const RunRecord& record) {
  double seconds = 0;
  for (const EpochRow& row : record.rows) seconds += row.seconds;
  return seconds;
}

void print_result(const TrainOptions& options, const ModelDescription& model, const RunDirectory& directory,
                  const RunRecord& record, const RunResult& result) {
  const std::string out = out_option(options, model);
  if (result.test)
    fmt::print("test accuracy {}, test loss {:.4f}\n", percent_text(result.test->accuracy),
               result.test->loss);
  fmt::print("training time {}\n", duration_text(result.training_seconds));
  fmt::print("weights   {}\n", directory.file(kLastFile).string());
  for (std::size_t i = 0; i < record.best.size(); ++i)
    if (record.best[i])
      fmt::print("best      {} ({} {:.4f}, epoch {})\n",
                 directory.file(std::string(model.training.checkpoints[i].file)).string(),
                 model.training.checkpoints[i].monitor, record.best[i]->value, record.best[i]->epoch);
  fmt::print("metrics   {}\n", directory.file(kMetricsFile).string());
  if (options.quiet) return;
  fmt::print("next      {}{}\n", invocation(model, "eval"), out);
  const bool pictures = model.data.source != SourceKind::kIdx;
  fmt::print("          {}{} FILE.{}\n", invocation(model, "predict"), out, pictures ? "jpg" : "idx");
  if (model.training.phases.size() > 1) return;  // a phase that is over keeps its epochs
  fmt::print("          {}{} --resume --epochs {}\n", invocation(model, "train"), out,
             2 * record.settings.epochs.back());
}

int stopped(int signal, const TrainOptions& options, const ModelDescription& model,
            const RunDirectory& directory) {
  std::fflush(stdout);
  fmt::print(stderr, "stopped; the state is saved in {}\ngo on with: {}{} --resume\n",
             directory.file(kStateFile).string(), invocation(model, "train"), out_option(options, model));
  return 128 + signal;
}

int finish(const TrainOptions& options, TrainingRun& run, const std::filesystem::path& data_path) {
  RunResult result{.test = std::nullopt, .training_seconds = training_seconds(run.record)};
  if (run.data.size(Part::kTest) > 0) {
    result.test = evaluate_part(run.network, run.data, Part::kTest, run.record.settings.batch);
    if (!result.test) return stopped(InterruptWatch::signal(), options, run.model, run.directory);
  }
  write_report(run.directory.file(kReportFile), run.network, run.record.settings, data_path, result);
  print_result(options, run.model, run.directory, run.record, result);
  return 0;
}

}  // namespace

int train(const TrainOptions& options, const ModelDescription& model, MakeNetwork make) {
  if (model.training.phases.empty())
    throw UserError(fmt::format("{} can't be trained: {} has no 'train' for it", model.name, model.spec));
  require_known_parts(options, model);
  RunDirectory directory(options.out, model);
  const std::optional<SavedState> saved = saved_state(options, model, directory);
  RunSettings settings = saved ? resumed_settings(saved->record, options, model, options.out.string())
                               : new_settings(options, model);
  if (!options.quiet) print_plan(options, model, settings);
  const std::filesystem::path data_path = data_directory(options.place, model);
  const Dataset data = load_data(options.place, model, settings.seed, options.threads);
  settings.data_fingerprint = data.fingerprint();
  settings.class_names = data.class_names();
  require_data(data, model, settings, saved);
  if (!options.quiet) print_data(data, data_path);
  directory.require_space();

  const InterruptWatch watch;
  const std::unique_ptr<Network> network = make(options.threads);
  Optimizer optimizer(model, network->optimizer_state());
  if (saved)
    require_position(saved->record, data, directory);
  else
    fill_network(options, settings.seed, *network);
  const bool finished = saved && is_finished(saved->record, settings, directory);
  // The first file that is written: where that fails, nothing of an earlier run is lost.
  if (!finished) write_report(directory.file(kReportFile), *network, settings, data_path, std::nullopt);
  if (options.overwrite) directory.clear();
  RunRecord record =
      saved ? resume(*saved, settings, *network, optimizer, directory) : begin(settings, *network, optimizer);
  if (finished) {
    fmt::print(
        "{} is finished: all {} epochs are done, there is nothing left to do (more epochs: --epochs N)\n",
        options.out.string(), record.rows.size());
    return 0;
  }
  TrainingRun run{model,
                  *network,
                  optimizer,
                  data,
                  directory,
                  record,
                  {.lines = !options.quiet, .bar = !options.quiet && output_is_terminal()}};
  const int signal = run_training(run);
  if (signal != 0) return stopped(signal, options, model, directory);
  return finish(options, run, data_path);
}

}  // namespace cnn::program
