// Recovery from syntax errors.
#include "syntax/error_strategy.hpp"

#include <algorithm>

#include "support/messages.hpp"

namespace cnnc::syntax {

namespace {

using antlr4::Token;
using Rule = antlr4::ParserRuleContext;
using antlr4::atn::ATNState;

bool is_statement(Rule* context) {
  return dynamic_cast<CnnParser::StmtContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::ConfigStmtContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::EditContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::ItemContext*>(context) != nullptr;
}

bool holds_statements(Rule* context) {
  return dynamic_cast<CnnParser::BodyContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::ConfigContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::EditsContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::SpecContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::ArmContext*>(context) != nullptr;
}

bool is_top(Rule* context) {
  return dynamic_cast<CnnParser::ItemContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::SpecContext*>(context) != nullptr;
}

int depth_change(const Token* token) {
  const std::string text = token->getText();
  if (text == "{" || text == "(" || text == "[") return 1;
  return text == "}" || text == ")" || text == "]" ? -1 : 0;
}

// Whether a line may end behind a token and its statement with it.
bool may_end(const Token* token) {
  return ends_value(token) || token->getText() == "}" || token->getText() == "identity" ||
         token->getText() == "=";
}

bool begins_item(antlr4::TokenStream& stream, std::size_t i) {
  static constexpr std::string_view kItems[] = {"import", "let", "block", "model", "data", "recipe", "train"};
  const bool new_line = i == 0 || stream.get(i - 1)->getLine() != stream.get(i)->getLine();
  return new_line && std::ranges::find(kItems, stream.get(i)->getText()) != std::end(kItems);
}

}  // namespace

void ErrorStrategy::report(antlr4::Parser* parser, Token* found) {
  if (reported_ >= kMostReported) return;
  const Finding what = finding(parser, list_, lines_, found);
  auto* stream = parser->getTokenStream();
  // What is missing at the end of a line belongs to that line.
  std::size_t place = found->getTokenIndex();
  while (place > 0 && list_.range(stream->get(place), stream->get(place)).begin > what.range.begin) --place;
  if (place > 0 && what.found == "the end of the line" &&
      list_.range(stream->get(place), stream->get(place)).begin == what.range.begin)
    --place;
  if (!lines_.insert(stream->get(place)->getLine()).second) return;
  ++reported_;
  auto builder = what.kind == Finding::Kind::kExpected
                     ? diagnostics_.report(what.range, messages::kExpected, what.expected, what.found)
                     : diagnostics_.report(what.range, messages::kUnexpected, what.found);
  if (!what.help.empty()) builder.help(what.help);
}

void ErrorStrategy::reportError(antlr4::Parser* parser, const antlr4::RecognitionException& error) {
  if (inErrorRecoveryMode(parser)) return;
  beginErrorCondition(parser);
  // Where no alternative fits, the token at which the last of them failed is the one to show.
  report(parser, error.getOffendingToken());
}

// Up to the statement that the error is in, then over the rest of it.
void ErrorStrategy::recover(antlr4::Parser* parser, std::exception_ptr error) {
  Rule* context = parser->getContext();
  if (is_statement(context)) {
    skip(parser, context, context->getStart()->getTokenIndex());
    endErrorCondition(parser);
    return;
  }
  if (context->parent != nullptr) std::rethrow_exception(error);
  while (parser->getCurrentToken()->getType() != Token::EOF) parser->consume();
}

Token* ErrorStrategy::recoverInline(antlr4::Parser* parser) {
  throw antlr4::InputMismatchException(parser);
}

// Between statements: what begins none is reported and skipped, and the list of statements goes on.
void ErrorStrategy::sync(antlr4::Parser* parser) {
  Rule* context = parser->getContext();
  if (!holds_statements(context)) return;
  const auto& atn = parser->getATN();
  ATNState* state = atn.states[parser->getState()];
  const auto kind = state->getStateType();
  if (kind != ATNState::STAR_LOOP_ENTRY && kind != ATNState::STAR_LOOP_BACK &&
      kind != ATNState::STAR_BLOCK_START && kind != ATNState::PLUS_LOOP_BACK) {
    return;
  }
  const bool in_arm = dynamic_cast<CnnParser::ArmContext*>(context) != nullptr;
  const antlr4::misc::IntervalSet expected = atn.nextTokens(state);
  for (;;) {
    Token* token = parser->getCurrentToken();
    const std::string text = token->getText();
    if (token->getType() == Token::EOF || text == "}" || (in_arm && text == "|")) return;
    if (expected.contains(static_cast<ssize_t>(token->getType()))) return;
    if (!inErrorRecoveryMode(parser)) {
      beginErrorCondition(parser);
      report(parser, token);
    }
    const std::size_t i = token->getTokenIndex();
    auto* stream = parser->getTokenStream();
    // An item whose first word was taken for the end of the one before.
    const bool swallowed = is_top(context) && i > 1 && is_word(token) && begins_item(*stream, i - 1) &&
                           swallowed_.insert(i).second;
    if (swallowed) {
      stream->seek(i - 1);
    } else {
      parser->consume();
      skip(parser, context, i);
    }
    endErrorCondition(parser);
  }
}

// Consumes the rest of the statement whose first token is `begin`: to its closing brace, or to a line that
// begins anew.
void ErrorStrategy::skip(antlr4::Parser* parser, Rule* statement, std::size_t begin) {
  auto* stream = parser->getTokenStream();
  int depth = 0;
  const bool top = is_top(statement);
  for (std::size_t i = begin; i < stream->index(); ++i) {
    if (top && depth == 0 && i > begin && begins_item(*stream, i)) return stream->seek(i);
    depth += depth_change(stream->get(i));
  }
  const bool in_arm = enclosing<CnnParser::ArmContext>(statement) != nullptr;
  for (;;) {
    Token* token = parser->getCurrentToken();
    if (token->getType() == Token::EOF) return;
    const std::size_t i = stream->index();
    const std::string text = token->getText();
    if (depth <= 0) {
      if (text == "}" && !top) return;
      if (text == "|" && in_arm && i > begin) return;
      const bool new_line = i > begin && stream->get(i - 1)->getLine() != token->getLine();
      if (new_line &&
          (top ? begins_item(*stream, i)
               : (begins_value(token) || text == "|") && (i - 1 == begin || may_end(stream->get(i - 1)))))
        return;
    }
    depth += depth_change(token);
    parser->consume();
  }
}

}  // namespace cnnc::syntax
