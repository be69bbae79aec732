// What each command of cnnc does.
#pragma once

#include "driver/command_line.hpp"

namespace cnnc::driver {

/// Runs a command; its exit code (0 well, 1 the user's error, 2 usage).
int run_command(const CommandLine& line);

/// Builds the spec's program through the cache and becomes it.
int run_program(const CommandLine& line, const Compiled& compiled);

}  // namespace cnnc::driver
