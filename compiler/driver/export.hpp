// `export`: a network and its weights as an ONNX file.
#pragma once

#include "driver/command_line.hpp"
#include "support/source.hpp"

namespace cnnc::driver {

/// Writes the program's network with the weights of `line.second` to `line.output`, whole or not at all. Returns the exit
/// code; messages go to standard error.
int export_onnx(const CommandLine& line, const sema::Program& program, const Sources& sources);

}  // namespace cnnc::driver
