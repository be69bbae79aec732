// The folder of a run: taking it, saving to it, and reading the state back.
#include "run_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>

#include "errors.hpp"
#include "formats/atomic_file.hpp"
#include "formats/format_error.hpp"
#include "text.hpp"
#include "weights_file.hpp"

namespace cnn::program {
namespace {

std::string weight_name(const TensorDescription& tensor) {
  return fmt::format("weights/{}", tensor.name);
}
std::string moment_name(const TensorDescription& tensor, int kind) {
  return fmt::format("moment{}/{}", kind + 1, tensor.name);
}

void copy_tensor(const formats::SafetensorsFile& from, const std::string& name, Floats to) {
  const std::span<const float> values = from.tensor(name).values;
  if (values.size() != to.size())
    throw formats::FormatError(from.path(),
                               fmt::format("{} has {} numbers, expected {}", name, values.size(), to.size()));
  std::copy(values.begin(), values.end(), to.begin());
}

/// Whether a record fits the program: a foreign or damaged one would lead astray.
bool is_consistent(const RunRecord& record, const ModelDescription& model) {
  const std::vector<int>& epochs = record.settings.epochs;
  if (epochs.size() != model.training.phases.size() || record.settings.spec_epochs.size() != epochs.size())
    return false;
  if (record.phase < 0 || static_cast<std::size_t>(record.phase) >= epochs.size()) return false;
  if (record.epoch < 0 || record.epoch > epochs[static_cast<std::size_t>(record.phase)] || record.step < 0)
    return false;
  const int before = std::accumulate(epochs.begin(), epochs.begin() + record.phase, 0);
  return record.rows.size() == static_cast<std::size_t>(before + record.epoch) &&
         record.best.size() == model.training.checkpoints.size() &&
         record.optimizer_steps.size() == model.tensors.size();
}

}  // namespace

RunDirectory::RunDirectory(const std::filesystem::path& path, const ModelDescription& model)
    : path_(path), model_(model) {
  std::error_code error;
  made_ = std::filesystem::create_directories(path, error);
  if (error) throw UserError(fmt::format("cannot make the folder {}: {}", path.string(), error.message()));
  lock_ = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0)
    throw UserError(fmt::format("cannot open the folder {}: {}", path.string(), std::strerror(errno)));
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(lock_);
    throw UserError(fmt::format(
        "another training is at work in {}; give this one a folder of its own with --out", path.string()));
  }
  if (access(path.c_str(), W_OK | X_OK) != 0) {
    const int reason = errno;
    close(lock_);
    throw UserError(fmt::format("cannot write to the folder {}: {}", path.string(), std::strerror(reason)));
  }
}

RunDirectory::~RunDirectory() {
  if (made_) rmdir(path_.c_str());  // does nothing to a folder with files in it
  close(lock_);
}

bool RunDirectory::has_state() const {
  return std::filesystem::exists(file(kStateFile));
}

void RunDirectory::require_space() const {
  std::uintmax_t weights = 0;
  for (const TensorDescription& tensor : model_.tensors) weights += tensor.count * sizeof(float);
  const std::uintmax_t state = weights + Optimizer::state_floats(model_) * sizeof(float);
  std::uintmax_t needed = state;  // a new state lies beside the old one for a moment
  const auto count_file = [&](const std::string& name, std::uintmax_t bytes) {
    if (!std::filesystem::exists(file(name))) needed += bytes;
  };
  count_file(kStateFile, state);
  count_file(kLastFile, weights);
  for (const CheckpointDescription& checkpoint : model_.training.checkpoints)
    count_file(std::string(checkpoint.file), weights);
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(path_, error);
  if (!error && space.available < needed)
    throw UserError(fmt::format("the disk of {} has {} left, and the files of a run need {}", path_.string(),
                                bytes_text(static_cast<double>(space.available)),
                                bytes_text(static_cast<double>(needed))));
}

void RunDirectory::clear() {
  // The state goes first: without it nothing else is taken for a run that could be resumed.
  std::filesystem::remove(file(kStateFile));
  std::filesystem::remove(file(kLastFile));
  std::filesystem::remove(file(kMetricsFile));
  for (const CheckpointDescription& checkpoint : model_.training.checkpoints)
    std::filesystem::remove(file(std::string(checkpoint.file)));
}

SavedState RunDirectory::read_state() const {
  const std::filesystem::path state_file = file(kStateFile);
  formats::RunState state = formats::read_run_state(state_file);
  RunRecord record;
  try {
    record = record_from_json(nlohmann::json::parse(state.text));
  } catch (const nlohmann::json::exception& error) {
    throw formats::FormatError(state_file, fmt::format("its record can't be understood ({})", error.what()));
  }
  if (record.settings.spec_hash == model_.spec_hash && !is_consistent(record, model_))
    throw formats::FormatError(state_file,
                               fmt::format("its record does not fit {}'s phases and tensors", model_.name));
  return {std::move(record), std::move(state.tensors)};
}

void RunDirectory::restore(const SavedState& state, Network& network, Optimizer& optimizer) const {
  for (std::size_t i = 0; i < model_.tensors.size(); ++i)
    copy_tensor(state.tensors, weight_name(model_.tensors[i]), network.tensor(static_cast<int>(i)));
  for (int phase = 0; phase <= state.record.phase; ++phase) optimizer.begin_phase(phase);
  for (const int tensor : optimizer.learning())
    for (int kind = 0; kind < optimizer.moment_kinds(); ++kind)
      copy_tensor(state.tensors, moment_name(model_.tensors[static_cast<std::size_t>(tensor)], kind),
                  optimizer.moments(tensor, kind));
  optimizer.steps() = state.record.optimizer_steps;
}

void RunDirectory::save_state(RunRecord& record, const Network& network, Optimizer& optimizer) const {
  record.optimizer_steps = optimizer.steps();
  std::vector<formats::TensorView> tensors;
  const auto add = [&](std::string name, ConstFloats values) {
    tensors.push_back({std::move(name), {static_cast<std::int64_t>(values.size())}, values});
  };
  for (std::size_t i = 0; i < model_.tensors.size(); ++i)
    add(weight_name(model_.tensors[i]), network.tensor(static_cast<int>(i)));
  for (const int tensor : optimizer.learning())
    for (int kind = 0; kind < optimizer.moment_kinds(); ++kind)
      add(moment_name(model_.tensors[static_cast<std::size_t>(tensor)], kind),
          optimizer.moments(tensor, kind));
  formats::write_run_state(file(kStateFile), to_json(record).dump(), tensors);
}

void RunDirectory::save_weights(const std::string& name, const RunRecord& record,
                                const Network& network) const {
  program::save_weights(file(name), network, record.settings.seed, static_cast<int>(record.rows.size()),
                        record.settings.class_names);
}

void RunDirectory::save_derived(const RunRecord& record, const Network& network) const {
  save_weights(kLastFile, record, network);
  formats::write_file_atomically(file(kMetricsFile), metrics_csv(record, model_.training));
}

void RunDirectory::save_all(RunRecord& record, const Network& network, Optimizer& optimizer) const {
  save_state(record, network, optimizer);
  save_derived(record, network);
}

}  // namespace cnn::program
