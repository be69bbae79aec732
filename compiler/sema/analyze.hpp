// The stage from syntax to meaning. A layer's shape is inferred where it stands, because arguments may depend
// on it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/op_def.hpp"
#include "model.hpp"
#include "support/diagnostics.hpp"
#include "syntax/ast.hpp"

namespace cnnc::sema {

/// `--set classes=5`: names and texts of compile-time values.
using Overrides = std::vector<std::pair<std::string, std::string>>;

/// Every program that the file describes: one for each pair of a `train` and a model, and one for each
/// complete model that nothing trains. Mistakes are reported; a program with a mistake in it is left out.
std::vector<Program> analyze(const syntax::File& file, const ir::OpRegistry& ops, const Overrides& overrides,
                             const Sources& sources, Diagnostics& diagnostics);

}  // namespace cnnc::sema
