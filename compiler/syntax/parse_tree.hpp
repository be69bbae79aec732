// A text, its tokens and ANTLR's parse tree, kept together since each points into the one before.
// What works on tokens (the formatter) begins here; what works on meaning begins with parser.hpp.
#pragma once

#include <memory>

#include "syntax/tree.hpp"

namespace cnnc::syntax {

/// Tokens of every channel, comments and line ends too, and the tree of those that the grammar sees.
struct ParseTree {
  explicit ParseTree(const std::string& text);

  antlr4::ANTLRInputStream input;
  generated::CnnLexer lexer;
  antlr4::CommonTokenStream tokens;
  CnnParser parser;
  CnnParser::SpecContext* spec = nullptr;
};

/// Nothing where anything is wrong with the text; all of it has been reported then.
std::unique_ptr<ParseTree> parse_tree(const Sources& sources, std::uint32_t file, const Offsets& offsets,
                                      Diagnostics& diagnostics);

/// The expression that `parsed`'s text is, from between the braces of a text; null where it is none, which is
/// reported.
CnnParser::EmbeddedContext* parse_embedded(ParseTree& parsed, std::uint32_t file, const Offsets& offsets,
                                           Diagnostics& diagnostics);

}  // namespace cnnc::syntax
