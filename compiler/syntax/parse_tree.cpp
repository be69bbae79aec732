// ANTLR's lexer and parser at work.
#include "syntax/parse_tree.hpp"

#include "support/messages.hpp"
#include "syntax/error_strategy.hpp"

namespace cnnc::syntax {

namespace {

// The first thing in a file is its edition; without it nothing else is worth saying.
bool has_edition(antlr4::CommonTokenStream& tokens, const Offsets& offsets, std::uint32_t file, Diagnostics& diagnostics) {
  tokens.fill();
  const antlr4::Token* first = tokens.LT(1);
  if (first->getText() == "cnn" && first->getType() != antlr4::Token::EOF) return true;
  const std::uint32_t begin = offsets.byte(first->getStartIndex());
  const std::uint32_t end = first->getType() == antlr4::Token::EOF ? begin : offsets.byte(first->getStopIndex() + 1);
  diagnostics.report({file, begin, end}, messages::kNoEdition).help("write 'cnn 1' above everything else");
  return false;
}

}  // namespace

ParseTree::ParseTree(const std::string& text) : input(text), lexer(&input), tokens(&lexer), parser(&tokens) {
  lexer.removeErrorListeners();
  parser.removeErrorListeners();
}

std::unique_ptr<ParseTree> parse_tree(const Sources& sources, std::uint32_t file, const Offsets& offsets,
                                      Diagnostics& diagnostics) {
  auto result = std::make_unique<ParseTree>(std::string(sources.file(file).text()));
  if (!has_edition(result->tokens, offsets, file, diagnostics)) return nullptr;
  const int errors_before = diagnostics.errors();
  result->parser.setErrorHandler(std::make_shared<ErrorStrategy>(file, offsets, sources, diagnostics));
  result->spec = result->parser.spec();
  return diagnostics.errors() > errors_before ? nullptr : std::move(result);
}

}  // namespace cnnc::syntax
