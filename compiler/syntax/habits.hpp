// What people coming from Python, PyTorch, Keras and YAML write, and what to write instead.
#pragma once

#include <optional>
#include <string>

#include "syntax/mend.hpp"

namespace cnnc::syntax {

/// The help for the token at `index` of the parser's tokens, at which it failed; nothing where no habit is
/// known.
std::optional<std::string> habit(antlr4::Parser* parser, std::size_t index);

}  // namespace cnnc::syntax
