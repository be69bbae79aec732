// Weights that a training begins with: the spec's `init` lines, and what the command line says instead.
#pragma once

#include <string>
#include <vector>

#include "cnn/network/network.hpp"
#include "command_line.hpp"

namespace cnn::program {

/// Fills the parts of a freshly initialized network that the spec names, each whole or, after a FormatError
/// or UserError that lists both sides, none of it. Returns lines that say what was loaded, and appends to
/// `notes` what else the user should know.
std::vector<std::string> load_initial_weights(Network& network, const TrainOptions& options,
                                              std::vector<std::string>& notes);

}  // namespace cnn::program
