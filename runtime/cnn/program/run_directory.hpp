// The folder of a run and its files. The state is the one truth; all else can be written anew from it.
#pragma once

#include <filesystem>
#include <string>

#include "cnn/network/network.hpp"
#include "cnn/training/optimizer.hpp"
#include "formats/run_state.hpp"
#include "run_record.hpp"

namespace cnn::program {

inline constexpr const char* kStateFile = "state.safetensors";
inline constexpr const char* kLastFile = "last.safetensors";
inline constexpr const char* kMetricsFile = "metrics.csv";
inline constexpr const char* kReportFile = "run.json";

/// A saved state: its record, and the tensors that restore() takes from it.
struct SavedState {
  RunRecord record;
  formats::SafetensorsFile tensors;
};

/// The folder, taken for this process for as long as this object lives.
class RunDirectory {
 public:
  /// Makes the folder where there is none. Throws UserError where it can't be made or written to, or another
  /// training is at work in it.
  RunDirectory(const std::filesystem::path& path, const ModelDescription& model);
  /// A folder that was made and is still empty goes away again.
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  bool has_state() const;

  /// Throws UserError where the disk has no room for the files of a run.
  void require_space() const;
  /// Removes the files of an earlier run.
  void clear();

  /// Throws FormatError where the state can't be read or is not one of this program's.
  SavedState read_state() const;
  /// Brings network and optimizer to where the state was saved.
  void restore(const SavedState& state, Network& network, Optimizer& optimizer) const;

  void save_state(RunRecord& record, const Network& network, Optimizer& optimizer) const;
  void save_weights(const std::string& file, const RunRecord& record, const Network& network) const;
  /// The files that follow from the state: last weights and metrics.
  void save_derived(const RunRecord& record, const Network& network) const;
  /// State first, then what follows from it.
  void save_all(RunRecord& record, const Network& network, Optimizer& optimizer) const;

 private:
  std::filesystem::path path_;
  const ModelDescription& model_;
  bool made_ = false;
  int lock_ = -1;
};

}  // namespace cnn::program
