// The stage from syntax to meaning. A layer's shape is inferred where it stands, because arguments may depend
// on it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/op_def.hpp"
#include "model.hpp"
#include "support/diagnostics.hpp"
#include "sema/file_scope.hpp"
#include "syntax/modules.hpp"

namespace cnnc::sema {

/// Every program that the spec, the last of the modules, describes: one for each pair of a `train` and a model, and one for each
/// complete model that nothing trains. Mistakes are reported; a program with a mistake in it is left out.
std::vector<Program> analyze(const syntax::Modules& modules, const ir::OpRegistry& ops, const Overrides& overrides,
                             const Sources& sources, Diagnostics& diagnostics);

}  // namespace cnnc::sema
