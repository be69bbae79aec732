// From text to syntax tree. Who includes only this header sees nothing of ANTLR.
#pragma once

#include <optional>
#include <string>

#include "ast.hpp"
#include "support/diagnostics.hpp"

namespace cnnc::syntax {

/// Parses file `file` of `sources`. Every mistake is reported; what could be parsed is returned, and nothing at all where
/// the text is beyond the limits (1 MiB, nesting 256, both checked on bytes and tokens before the parser recurses),
/// is not UTF-8, or does not begin with `cnn 1`.
std::optional<File> parse(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics);

/// The tree as indented text, for --dump=ast.
std::string dump(const File& file);

}  // namespace cnnc::syntax
