// The loop over phases, epochs and steps. The record moves with every step, so that it can be saved after any
// of them.
#include "training_run.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "cnn/data/loader.hpp"
#include "errors.hpp"
#include "evaluation.hpp"
#include "interrupt.hpp"
#include "progress.hpp"
#include "text.hpp"

namespace cnn::program {
namespace {

using Clock = std::chrono::steady_clock;

int epochs_in_all(const RunSettings& settings) {
  int epochs = 0;
  for (const int phase_epochs : settings.epochs) epochs += phase_epochs;
  return epochs;
}

int current_epoch(const RunRecord& record) {
  return static_cast<int>(record.rows.size()) + 1;
}

[[noreturn]] void stop_at_bad_loss(const TrainingRun& run) {
  throw UserError(fmt::format(
      "the loss is no longer a finite number (epoch {}, step {}); the last saved state is kept. "
      "A lower learning rate than {} usually helps",
      current_epoch(run.record), run.record.step, static_cast<float>(run.optimizer.learning_rate())));
}

/// Adds the time that it runs to `seconds`; saving stops it, so that an epoch's seconds are those of
/// training.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() { stop(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  void stop() {
    const Clock::time_point now = Clock::now();
    seconds_ += std::chrono::duration<double>(now - begin_).count();
    begin_ = now;
  }
  void start() { begin_ = Clock::now(); }

 private:
  double& seconds_;
  Clock::time_point begin_ = Clock::now();
};

/// Trains what is left of the current epoch. Returns false where a signal came.
bool train_epoch(TrainingRun& run) {
  RunRecord& record = run.record;
  const std::int64_t images = run.data.size(Part::kTrain);
  const std::int64_t skipped = record.tally.images;
  ProgressBar bar(fmt::format("epoch {}/{}", current_epoch(record), epochs_in_all(record.settings)), images,
                  run.screen.bar);
  Stopwatch watch(record.seconds);
  Loader loader(run.data, Part::kTrain, record.settings.batch,
                Shuffle{.seed = record.settings.seed, .epoch = record.rows.size()}, record.step);
  while (const auto batch = loader.next()) {
    run.network.train_step(record.phase, batch->images, batch->labels,
                           {record.settings.seed, record.global_step}, run.optimizer);
    record.tally.add(run.network.losses(), run.network.scores(), batch->labels, run.model.outputs);
    ++record.step;
    ++record.global_step;
    if (!std::isfinite(record.tally.loss)) stop_at_bad_loss(run);
    bar.update(record.tally.images, skipped, record.tally.mean_loss());
    if (InterruptWatch::signal() != 0) return false;
    const int save_every = run.model.training.save_every;
    if (save_every > 0 && record.step % save_every == 0) {
      watch.stop();
      run.directory.save_state(record, run.network, run.optimizer);
      watch.start();
    }
  }
  return true;
}

void print_row(const EpochRow& row, const RunRecord& record, const ModelDescription& model) {
  const int all = epochs_in_all(record.settings);
  const auto width = std::to_string(all).size();
  std::string text = fmt::format("epoch {:>{}}/{}", row.epoch, width, all);
  if (model.training.phases.size() > 1) text += fmt::format("  {}", row.phase);
  text += fmt::format("  loss {:.4f}  accuracy {}", row.train_loss, percent_text(row.train_accuracy));
  if (row.validation)
    text += fmt::format("  val loss {:.4f}  val accuracy {}", row.validation->loss,
                        percent_text(row.validation->accuracy));
  fmt::print("{}  lr {}  {}\n", text, static_cast<float>(row.learning_rate), duration_text(row.seconds));
  std::fflush(stdout);
}

/// Notes which checkpoints the last row is the best of, and writes them. They are written before the state: a
/// run that is killed between the two goes through the epoch again and writes the same.
void keep_best(TrainingRun& run) {
  const auto checkpoints = run.model.training.checkpoints;
  const EpochRow& row = run.record.rows.back();
  for (std::size_t i = 0; i < checkpoints.size(); ++i) {
    const std::string monitor(checkpoints[i].monitor);
    const std::optional<double> value = monitored_value(row, monitor);
    if (!value || !is_better(monitor, *value, run.record.best[i])) continue;
    run.record.best[i] = BestValue{*value, row.epoch};
    run.directory.save_weights(std::string(checkpoints[i].file), run.record, run.network);
  }
}

/// Validates, and turns the epoch into a row. Returns false where a signal came: the epoch stays open, all
/// its steps done.
bool close_epoch(TrainingRun& run) {
  RunRecord& record = run.record;
  EpochRow row{.epoch = current_epoch(record),
               .phase = std::string(run.model.training.phases[static_cast<std::size_t>(record.phase)].name),
               .learning_rate = run.optimizer.learning_rate(),
               .train_loss = record.tally.mean_loss(),
               .train_accuracy = record.tally.accuracy(),
               .validation = std::nullopt,
               .seconds = record.seconds};
  if (run.data.size(Part::kValidation) > 0) {
    row.validation = evaluate_part(run.network, run.data, Part::kValidation, record.settings.batch);
    if (!row.validation) return false;
  }
  record.rows.push_back(row);
  record.epoch += 1;
  record.step = 0;
  record.tally = {};
  record.seconds = 0;
  if (run.screen.lines) print_row(row, record, run.model);
  keep_best(run);
  run.directory.save_all(record, run.network, run.optimizer);
  return true;
}

}  // namespace

int run_training(TrainingRun& run) {
  RunRecord& record = run.record;
  for (;;) {
    while (record.epoch < record.settings.epochs[static_cast<std::size_t>(record.phase)]) {
      if (!train_epoch(run) || !close_epoch(run)) {
        run.directory.save_all(record, run.network, run.optimizer);
        return InterruptWatch::signal();
      }
      // A signal that came after the last step was seen is answered here, where all is saved already.
      if (InterruptWatch::signal() != 0 && !record.complete()) return InterruptWatch::signal();
    }
    if (record.complete()) return 0;
    record.phase += 1;
    record.epoch = 0;
    run.optimizer.begin_phase(record.phase);
  }
}

}  // namespace cnn::program
