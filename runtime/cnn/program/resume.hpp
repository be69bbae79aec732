// Whether a saved run and a program with its arguments are the same training.
#pragma once

#include <string>
#include <vector>

#include "command_line.hpp"
#include "run_record.hpp"

namespace cnn::program {

/// What a fresh run is started with; the data's fingerprint is known later.
RunSettings new_settings(const TrainOptions& options, const ModelDescription& model);

/// The settings a resumed run goes on with: the saved ones, but for more epochs. What the arguments leave
/// open is as it was. Throws UserError with all that differs. `folder` is named in it.
RunSettings resumed_settings(const RunRecord& saved, const TrainOptions& options,
                             const ModelDescription& model, const std::string& folder);

/// What differs without forbidding to go on: results are then no longer the same bit for bit.
std::vector<std::string> resume_warnings(const RunSettings& saved, const RunSettings& now);

}  // namespace cnn::program
