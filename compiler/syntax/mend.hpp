// What is put right on the tokens before the parser sees them: signs of other languages, and brackets that
// don't match. Each is reported once; the parser then goes on over tokens whose brackets are balanced, and
// finds the other mistakes.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "syntax/tree.hpp"

namespace cnnc::syntax {

/// Tokens that the grammar sees, the end of the file last. What the mending adds or replaces is owned.
class TokenList {
 public:
  TokenList(antlr4::CommonTokenStream& stream, std::uint32_t file, const Offsets& offsets);

  std::vector<antlr4::Token*> tokens;

  /// A token that stands in the place of [first, last].
  antlr4::Token* made(std::size_t type, std::string text, const antlr4::Token* first,
                      const antlr4::Token* last);
  Range range(const antlr4::Token* first, const antlr4::Token* last) const;
  /// The place behind a token.
  Range behind(const antlr4::Token* token) const;
  bool first_on_line(std::size_t i) const {
    return i == 0 || tokens[i - 1]->getLine() != tokens[i]->getLine();
  }
  std::string text(std::size_t i) const { return i < tokens.size() ? tokens[i]->getText() : ""; }

 private:
  std::uint32_t file_;
  const Offsets& offsets_;
  std::vector<std::unique_ptr<antlr4::Token>> owned_;
};

inline constexpr int kMostReported = 20;  // mistakes of one text; behind so many the rest says little

/// Lines on which something has been reported, by the lexer's count.
using ReportedLines = std::set<std::size_t>;

/// Replaces what stands for something else (`=>`, '...', 1_000, /* */) and drops what stands for nothing
/// (`;`).
void mend_characters(TokenList& list, Diagnostics& diagnostics, ReportedLines& lines);

/// Adds missing brackets and drops those that close nothing; indentation tells which brace it is. False where
/// there are too many of them, and the tokens are beyond mending.
bool mend_brackets(TokenList& list, Diagnostics& diagnostics, ReportedLines& lines);

/// A token as messages show it.
std::string shown(const antlr4::Token* token);

/// The number of a token that the grammar writes as a literal: `'->'`.
std::size_t type_of(std::string_view literal);

/// Whether a token is a word, a number, a text or a closing bracket, so that a value can end with it.
bool ends_value(const antlr4::Token* token);
/// Whether a token is a word, a number or a text, so that a value or a statement can begin with it.
bool begins_value(const antlr4::Token* token);
/// Whether a token is a word, reserved or not.
bool is_word(const antlr4::Token* token);

}  // namespace cnnc::syntax
