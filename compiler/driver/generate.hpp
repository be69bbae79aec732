// `generate`: the files of a spec's programs, and for build systems what they depend on.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "driver/command_line.hpp"
#include "support/source.hpp"

namespace cnnc::driver {

/// Writes every program's files to the output folder, each only where its text changes, and the depfile where
/// one is wanted; then touches the stamp. Returns the exit code.
int write_generated(const CommandLine& line, std::vector<Compiled> programs, const Sources& sources);

/// One rule in Make's syntax, as GCC writes it: `TARGETS: DEPENDENCIES`, and blanks, '#' and '$' in names
/// escaped.
std::string depfile_text(std::span<const std::string> targets, std::span<const std::string> dependencies);

}  // namespace cnnc::driver
