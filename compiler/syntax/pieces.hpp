// What the formatter lays out: the tokens that the grammar sees, each with the comments before it, with the
// blanks that stand between them on one line, and sums over them from which widths and breaks of any range
// are told at once.
#pragma once

#include <string>
#include <vector>

#include "syntax/parse_tree.hpp"

namespace cnnc::syntax {

struct Comment {
  std::string text;
  int newlines = 0;  // between it and what stands before it
};

struct Piece {
  std::string text;
  std::vector<Comment> comments;  // before the token
  int newlines = 0;               // between the last of them, or the token before, and this one
  bool space = true;              // before it, on one line
  bool soft = false;              // where a line that is too long may be broken
  bool optional = false;          // a comma before a closing bracket
  bool forced = false;            // the line is broken before it in any case
};

class Pieces {
 public:
  explicit Pieces(ParseTree& parsed);

  const Piece& operator[](std::size_t i) const { return pieces_[i]; }
  /// The last piece is the end of the file.
  std::size_t size() const { return pieces_.size(); }
  std::size_t first(antlr4::ParserRuleContext* context) const {
    return of_token_[context->getStart()->getTokenIndex()];
  }
  std::size_t last(antlr4::ParserRuleContext* context) const {
    return of_token_[context->getStop()->getTokenIndex()];
  }
  std::size_t of(antlr4::tree::TerminalNode* node) const {
    return of_token_[node->getSymbol()->getTokenIndex()];
  }

  /// Columns of pieces [begin, end] on one line, without the blank before the first.
  int width(std::size_t begin, std::size_t end) const;
  /// Whether a break must stand behind one of the pieces [begin, end).
  bool broken(std::size_t begin, std::size_t end) const { return forced_[end + 1] > forced_[begin + 1]; }
  /// Whether the writer broke the line between pieces `begin` and `end`.
  bool newline_between(std::size_t begin, std::size_t end) const {
    return newlines_[end + 1] > newlines_[begin + 1];
  }

 private:
  void take(antlr4::CommonTokenStream& tokens);
  void hoist_comments();
  void mark(antlr4::ParserRuleContext* context, bool in_brackets);
  void mark_list(antlr4::ParserRuleContext* context);
  void mark_body(antlr4::ParserRuleContext* context, std::size_t open);
  void mark_equals(antlr4::tree::ParseTree* equals, CnnParser::ExprContext* value);
  void mark_soft(antlr4::ParserRuleContext* context);
  void glue(std::size_t i) { pieces_[i].space = false; }
  void sum();

  std::vector<Piece> pieces_;
  std::vector<std::size_t> of_token_;
  std::vector<int> columns_, forced_, newlines_;  // sums over the pieces before
};

/// The columns that a text takes, one a code point.
int columns(const std::string& text);

}  // namespace cnnc::syntax
