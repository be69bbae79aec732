// Texts with expressions in them: "dense{i + 1}". What stands between braces is parsed as an expression at
// its place.
#include "support/messages.hpp"
#include "syntax/limits.hpp"
#include "syntax/parse_tree.hpp"

namespace cnnc::syntax {

ExpressionPtr TreeBuilder::embedded(std::string_view text, std::uint32_t begin) {
  if (const std::size_t deep = too_deep(text); deep < text.size()) {
    const std::uint32_t at = begin + static_cast<std::uint32_t>(deep);
    diagnostics_.report({file_, at, at + 1}, messages::kNestedTooDeep, kDeepestNesting)
        .help("give parts names with 'let', or blocks of their own");
    return nullptr;
  }
  const Offsets offsets(text, begin);
  ParseTree parsed{std::string(text)};
  CnnParser::EmbeddedContext* tree = parse_embedded(parsed, file_, offsets, diagnostics_);
  return tree == nullptr ? nullptr
                         : TreeBuilder(file_, offsets, sources_, diagnostics_).expression(tree->expr());
}

Template TreeBuilder::text_template(antlr4::tree::TerminalNode* node) {
  const std::string quoted = node->getText();
  Template result{{}, range(node)};
  const std::string_view inside = std::string_view(quoted).substr(1, quoted.size() - 2);
  const auto offset = [&](std::size_t at) { return result.range.begin + 1 + static_cast<std::uint32_t>(at); };
  std::string plain;
  std::size_t plain_begin = 0;
  const auto end_plain = [&] {
    if (!plain.empty()) result.parts.push_back({unescape(plain, offset(plain_begin)), nullptr});
    plain.clear();
  };
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const bool doubled = i + 1 < inside.size() && inside[i + 1] == inside[i];
    if ((inside[i] == '{' || inside[i] == '}') && doubled) {
      plain += inside[i++];
    } else if (inside[i] == '{') {
      end_plain();
      const std::size_t close = std::min(inside.find('}', i), inside.size());
      if (close == inside.size()) {
        diagnostics_.report({file_, offset(i), offset(i) + 1}, messages::kOpenTemplate)
            .help("close it, as in \"dense{i + 1}\"; a brace itself is written {{");
        return result;
      }
      result.parts.push_back({"", embedded(inside.substr(i + 1, close - i - 1), offset(i + 1))});
      i = close;
    } else {
      if (plain.empty()) plain_begin = i;
      plain += inside[i];
    }
  }
  end_plain();
  return result;
}

}  // namespace cnnc::syntax
