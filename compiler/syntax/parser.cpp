// The stage from text to syntax tree: limits, ANTLR's lexer and parser, then our tree.
#include "syntax/parser.hpp"

#include "CnnLexer.h"
#include "support/messages.hpp"
#include "syntax/error_strategy.hpp"
#include "syntax/limits.hpp"
#include "syntax/tree.hpp"

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

std::optional<File> parse(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics) {
  if (!within_limits(sources, file, diagnostics)) return std::nullopt;
  const std::string text(sources.file(file).text());
  const Offsets offsets(text);
  antlr4::ANTLRInputStream input(text);
  generated::CnnLexer lexer(&input);
  lexer.removeErrorListeners();
  antlr4::CommonTokenStream tokens(&lexer);
  if (!has_edition(tokens, offsets, file, diagnostics)) return std::nullopt;

  const int errors_before = diagnostics.errors();
  CnnParser parser(&tokens);
  parser.removeErrorListeners();
  parser.setErrorHandler(std::make_shared<ErrorStrategy>(file, offsets, sources, diagnostics));
  CnnParser::SpecContext* tree = parser.spec();
  if (diagnostics.errors() > errors_before) return std::nullopt;
  File result = TreeBuilder(file, offsets, sources, diagnostics).file(tree);
  if (diagnostics.errors() > errors_before) return std::nullopt;
  return result;
}

}  // namespace cnnc::syntax
