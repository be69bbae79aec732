// How the parser goes on behind an error: one error a statement, then from the beginning of the next one.
#pragma once

#include "syntax/mend.hpp"

namespace cnnc::syntax {

/// Reports what was expected and what was found (expectations.cpp says it in people's words), at most once a
/// line and never on a line where something has been reported before. Needs balanced brackets.
class ErrorStrategy : public antlr4::DefaultErrorStrategy {
 public:
  ErrorStrategy(TokenList& list, Diagnostics& diagnostics, ReportedLines& lines)
      : list_(list), diagnostics_(diagnostics), lines_(lines) {}

  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& error) override;
  void recover(antlr4::Parser* parser, std::exception_ptr error) override;
  antlr4::Token* recoverInline(antlr4::Parser* parser) override;
  void sync(antlr4::Parser* parser) override;

 private:
  void report(antlr4::Parser* parser, antlr4::Token* found);
  void skip(antlr4::Parser* parser, antlr4::ParserRuleContext* statement, std::size_t begin);

  TokenList& list_;
  Diagnostics& diagnostics_;
  ReportedLines& lines_;
  std::set<std::size_t> swallowed_;  // tokens behind an item's first word that the item before had taken
  int reported_ = 0;
};

/// Where a syntax error is and what is said of it.
struct Finding {
  enum class Kind { kExpected, kUnexpected } kind = Kind::kExpected;
  Range range;
  std::string expected;
  std::string found;
  std::string help;
};

/// What is wrong at `found`, where the parser stands in its current rule; on the lines given something was
/// said before.
Finding finding(antlr4::Parser* parser, const TokenList& list, const ReportedLines& lines,
                antlr4::Token* found);

/// The nearest rule of a type around `context`, itself included.
template <class Context>
antlr4::ParserRuleContext* enclosing(antlr4::ParserRuleContext* context) {
  for (auto* rule = context; rule != nullptr; rule = dynamic_cast<antlr4::ParserRuleContext*>(rule->parent)) {
    if (dynamic_cast<Context*>(rule) != nullptr) return rule;
  }
  return nullptr;
}

}  // namespace cnnc::syntax
