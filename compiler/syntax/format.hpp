// The canonical form of a spec: `cnnc fmt`.
#pragma once

#include <optional>
#include <string>

#include "support/diagnostics.hpp"

namespace cnnc::syntax {

/// File `file` of `sources` in its canonical form: the same tokens and comments with other blanks and line
/// ends, but for commas at the end of lists. Formatting the result changes nothing. Nothing where the text
/// has errors; they are reported.
std::optional<std::string> format(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics);

}  // namespace cnnc::syntax
