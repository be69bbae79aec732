// How syntax errors are found, worded and recovered from. Only parser.cpp includes it.
#pragma once

#include "syntax/tree.hpp"

namespace cnnc::syntax {

/// Words errors as what was expected and what was found; a missing bracket is reported at the end of the line it belongs to.
/// One error a statement: until the parser has caught up with the text again, nothing more is reported.
class ErrorStrategy : public antlr4::DefaultErrorStrategy {
 public:
  ErrorStrategy(std::uint32_t file, const Offsets& offsets, const Sources& sources, Diagnostics& diagnostics)
      : file_(file), offsets_(offsets), sources_(sources), diagnostics_(diagnostics) {}

  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& error) override;

 protected:
  void reportUnwantedToken(antlr4::Parser* parser) override;
  void reportMissingToken(antlr4::Parser* parser) override;
  antlr4::Token* singleTokenDeletion(antlr4::Parser* parser) override;

 private:
  void report(antlr4::Parser* parser, antlr4::Token* found);
  bool report_foreign(antlr4::Parser* parser, antlr4::Token* found);
  bool report_missing_value(antlr4::Parser* parser, antlr4::Token* found);
  bool report_unclosed(antlr4::Parser* parser, antlr4::Token* found, const antlr4::misc::IntervalSet& expected);
  Range range(antlr4::Token* token) const;
  Range end_of_previous(antlr4::Parser* parser, antlr4::Token* token) const;

  std::uint32_t file_;
  const Offsets& offsets_;
  const Sources& sources_;
  Diagnostics& diagnostics_;
};

}  // namespace cnnc::syntax
