// `cnnc autotune`: measures the algorithms that the cost model only estimates.
#pragma once

#include "driver/command_line.hpp"
#include "support/source.hpp"

namespace cnnc::driver {

/// Builds the program once for each algorithm, runs them by turns for a bounded number of steps, and writes the best choice
/// for each pass of each layer to a tuning file. Returns the exit code.
int autotune(const CommandLine& line, const Compiled& compiled, const Sources& sources);

}  // namespace cnnc::driver
