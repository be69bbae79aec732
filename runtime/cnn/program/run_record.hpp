// All that a run is at a moment, but for the tensors: what it was started with, how far it is, and what it
// measured.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cnn/network/description.hpp"
#include "cnn/training/metrics.hpp"

namespace cnn::program {

/// What a run was started with. A resumed run must agree in the first group; it is told of differences in the
/// second.
struct RunSettings {
  std::string spec_hash;
  std::uint64_t seed = 0;
  int batch = 0;
  std::string data_fingerprint;

  std::vector<std::string> class_names{};  // as the data has them; not saved, since the data is read again

  std::string version, instruction_set, blas;

  std::vector<int> epochs;       // of each phase, as decided for the run
  std::vector<int> spec_epochs;  // as the program had them
};

/// Loss and metrics over a part of the data.
struct Evaluation {
  double loss = 0;
  double accuracy = 0;
  double top5 = 0;
};

/// A line of metrics.csv.
struct EpochRow {
  int epoch = 0;  // from 1, going on over phases
  std::string phase;
  double learning_rate = 0;
  double train_loss = 0;
  double train_accuracy = 0;
  std::optional<Evaluation> validation;
  double seconds = 0;  // of training, without validation
};

/// The best value of a checkpoint's monitor so far.
struct BestValue {
  double value = 0;
  int epoch = 0;
};

struct RunRecord {
  RunSettings settings;
  int phase = 0;                               // the current one
  int epoch = 0;                               // epochs of this phase that are complete
  std::int64_t step = 0;                       // steps of the current epoch that are done
  std::uint64_t global_step = 0;               // over all phases
  Tally tally;                                 // of the current epoch
  double seconds = 0;                          // of training in the current epoch
  std::vector<EpochRow> rows;                  // of the complete epochs
  std::vector<std::optional<BestValue>> best;  // one for each checkpoint
  std::vector<std::int64_t> optimizer_steps;   // one for each tensor of the model

  /// Whether anything was trained that would be lost.
  bool has_progress() const { return global_step > 0; }
  /// Whether every epoch of every phase is complete.
  bool complete() const;
};

/// As JSON and back; numbers keep every bit. The second throws nlohmann::json::exception where something is
/// missing.
nlohmann::json to_json(const RunRecord& record);
RunRecord record_from_json(const nlohmann::json& json);

/// The value of `monitor` ("val_loss", "val_accuracy", "val_top5", "train_loss", "train_accuracy") in a row.
std::optional<double> monitored_value(const EpochRow& row, const std::string& monitor);
/// Whether `value` is better than `best` for `monitor`: a loss when it is lower, all else when it is higher.
bool is_better(const std::string& monitor, double value, const std::optional<BestValue>& best);

/// metrics.csv: the header, then a line an epoch. Fields of validation are empty where there was none.
std::string metrics_csv(const RunRecord& record, const TrainingDescription& training);

}  // namespace cnn::program
