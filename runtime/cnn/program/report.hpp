// run.json: what a run is made of, so that its figures can be traced and repeated.
#pragma once

#include <filesystem>
#include <optional>

#include "cnn/network/network.hpp"
#include "run_record.hpp"

namespace cnn::program {

/// What a finished run has to show.
struct RunResult {
  std::optional<Evaluation> test;
  double training_seconds = 0;
};

/// Replaces `file`: the rendered spec, version, processor, instruction set, BLAS, threads, seed, fingerprint
/// of the data, planned memory, and the result where the run is finished.
void write_report(const std::filesystem::path& file, const Network& network, const RunSettings& settings,
                  const std::filesystem::path& data, const std::optional<RunResult>& result);

/// Whether `file` is a report with a result.
bool report_has_result(const std::filesystem::path& file);

}  // namespace cnn::program
