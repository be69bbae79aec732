// The stage from text to syntax tree: limits, ANTLR's lexer and parser, then our tree.
#include "syntax/parser.hpp"

#include "syntax/limits.hpp"
#include "syntax/parse_tree.hpp"

namespace cnnc::syntax {

std::optional<File> parse(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics) {
  if (!within_limits(sources, file, diagnostics)) return std::nullopt;
  const Offsets offsets(sources.file(file).text());
  const auto parsed = parse_tree(sources, file, offsets, diagnostics);
  if (parsed == nullptr) return std::nullopt;
  const int errors_before = diagnostics.errors();
  File result = TreeBuilder(file, offsets, sources, diagnostics).file(parsed->spec);
  if (diagnostics.errors() > errors_before) return std::nullopt;
  return result;
}

}  // namespace cnnc::syntax
