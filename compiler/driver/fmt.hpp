// `cnnc fmt`: specs in their canonical form.
#pragma once

#include "driver/command_line.hpp"

namespace cnnc::driver {

/// Rewrites each file, whole and only where it changes; `-` is formatted from standard input to standard
/// output. With
/// --check nothing is written and the files that would change are listed. A file with errors is left as it
/// is. Returns the exit code: 1 where a file has errors or, with --check, would change.
int format_files(const CommandLine& line);

}  // namespace cnnc::driver
