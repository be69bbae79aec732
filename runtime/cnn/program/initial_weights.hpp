// Weights that a training begins with: the spec's `init` lines, and what the command line says instead.
#pragma once

#include <string>
#include <vector>

#include "cnn/network/network.hpp"
#include "command_line.hpp"

namespace cnn::program {

/// Throws UserError where the command line names another file for what is no `init PATH` of the spec.
void require_known_parts(const TrainOptions& options, const ModelDescription& model);

/// Fills the parts of a freshly initialized network that the spec names, each whole or, after a FormatError
/// that lists both sides, none of it. Returns lines that say what was loaded, and appends to
/// `notes` what else the user should know.
std::vector<std::string> load_initial_weights(Network& network, const TrainOptions& options,
                                              std::vector<std::string>& notes);

}  // namespace cnn::program
