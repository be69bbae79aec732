// `cnnc weights`: what is in a weights file, the same as safetensors, and how it fits a spec.
#pragma once

#include "driver/command_line.hpp"

namespace cnnc::driver {

/// `weights inspect FILE`, `weights convert IN OUT.safetensors`, `weights map SPEC FILE`. Returns the exit code: 1 where a
/// file can't be read, or does not fit the spec. Throws UsageError.
int weights_command(const CommandLine& line);

}  // namespace cnnc::driver
