// What a generated `main` calls: the command line of every generated program.
#pragma once

#include <memory>

#include "cnn/network/network.hpp"

namespace cnn {

/// Makes the generated network on a team of `threads`.
using MakeNetwork = std::unique_ptr<Network> (*)(int threads);

/// Runs `train | eval | predict | info | bench | profile` for `model` (the first argument, or what the binary's name PROGRAM_COMMAND
/// says) and returns the exit code: 0 well, 1 the user's
/// error (files, data), 2 wrong usage, 3 an internal error, 130 or 143 where SIGINT or SIGTERM ended a
/// training whose state is saved.
int run(int argc, char** argv, const ModelDescription& model, MakeNetwork make);

}  // namespace cnn
