// Tuning files: which algorithm computes which pass of which layer, as `cnnc autotune` found it. Text, one line a choice.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "support/diagnostics.hpp"

namespace cnnc::driver {

/// A line to write.
struct TuningRow {
  std::string layer;
  plan::Work work = plan::Work::kForward;
  plan::TunedChoice choice;
  std::string by_cost_model;
};

/// What autotune writes. Only model and batch are held against the spec; the rest says how it was measured.
struct TuningText {
  std::string model;
  std::int64_t batch = 1;
  int threads = 1;
  int steps = 1;        // that were watched, of each program
  std::string cpu;
  std::vector<TuningRow> rows;
};

/// The file's text. It says nothing of when and where it was made.
std::string tuning_text(const TuningText& tuning);

/// A word of a file and its place.
struct PlacedWord {
  std::string text;
  Range range;
};

/// A line that was read: the words are well-formed, but not yet held against a network.
struct TuningLine {
  PlacedWord layer, pass, algorithm;
  plan::Work work = plan::Work::kForward;
  std::vector<plan::Measured> measured;
};

struct TuningFile {
  PlacedWord model, batch_word;
  std::int64_t batch = 1;
  std::vector<TuningLine> lines;
};

/// Reads a file; nothing, after diagnostics, where it is none.
std::optional<TuningFile> read_tuning(const std::filesystem::path& path, Sources& sources, Diagnostics& diagnostics);

/// The file's choices for a program, which was planned without them. Every line must fit: its layer, its pass, an algorithm
/// that can do it.
plan::Tuning fit_tuning(const TuningFile& file, const plan::Plan& plan, Diagnostics& diagnostics);

}  // namespace cnnc::driver
