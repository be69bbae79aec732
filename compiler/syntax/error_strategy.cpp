// Syntax errors in people's words.
#include "syntax/error_strategy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "CnnLexer.h"
#include "support/messages.hpp"

namespace cnnc::syntax {

namespace {

using antlr4::Token;
using generated::CnnLexer;
using Rule = antlr4::ParserRuleContext;

std::string shown(const Token* token) {
  if (token->getType() == Token::EOF) return "the end of the file";
  return fmt::format("'{}'", token->getText());
}

template <class Context>
Rule* enclosing(Rule* context) {
  for (auto* rule = context; rule != nullptr; rule = dynamic_cast<Rule*>(rule->parent)) {
    if (dynamic_cast<Context*>(rule) != nullptr) return rule;
  }
  return nullptr;
}

std::size_t type_of(const char* literal) {
  static const auto& vocabulary = []() -> const antlr4::dfa::Vocabulary& {
    static antlr4::ANTLRInputStream nothing("");
    static CnnLexer lexer(&nothing);
    return lexer.getVocabulary();
  }();
  const std::string quoted = fmt::format("'{}'", literal);
  for (std::size_t type = 1; type <= vocabulary.getMaxTokenType(); ++type) {
    if (vocabulary.getLiteralName(type) == quoted) return type;
  }
  return 0;
}

bool has(const antlr4::misc::IntervalSet& set, const char* literal) {
  return set.contains(static_cast<ssize_t>(type_of(literal)));
}

// The set of tokens that could follow, as one thing a person would name.
std::string concept_of(antlr4::Parser* parser, const antlr4::misc::IntervalSet& expected) {
  const bool name = expected.contains(static_cast<ssize_t>(CnnLexer::NAME));
  const bool value = expected.contains(static_cast<ssize_t>(CnnLexer::FLOAT_LIT));
  if (name && value) return "a value";
  if (name && has(expected, "repeat")) return "a layer";
  if (name && has(expected, "phase") && has(expected, "}")) return "a setting, a phase or '}'";
  if (has(expected, "recipe") && has(expected, "train")) {
    return name ? "a name" : "import, let, block, model, data, recipe or train";
  }
  if (name) return "a name";
  if (expected.contains(static_cast<ssize_t>(CnnLexer::DIMS_LIT))) return "a shape, as in 3x224x224";
  std::vector<std::string> words;
  for (const ssize_t type : expected.toList()) {
    if (type < 0) continue;
    const std::string literal = parser->getVocabulary().getLiteralName(static_cast<std::size_t>(type));
    if (type == static_cast<ssize_t>(CnnLexer::STRING_LIT)) words.push_back("a text in double quotes");
    else if (type == static_cast<ssize_t>(CnnLexer::INT_LIT)) words.push_back("a number");
    else if (!literal.empty()) words.push_back(literal);
  }
  if (words.empty()) return "something else";
  if (words.size() > 4) words.resize(4);
  const std::string last = words.back();
  words.pop_back();
  return words.empty() ? last : fmt::format("{} or {}", fmt::join(words, ", "), last);
}

std::string text_of_call(Rule* arguments) {
  auto* owner = dynamic_cast<Rule*>(arguments->parent);
  return owner == nullptr ? "" : owner->getStart()->getText();
}

}  // namespace

Range ErrorStrategy::range(Token* token) const {
  const std::uint32_t begin = offsets_.byte(token->getStartIndex());
  if (token->getType() == Token::EOF) return {file_, begin, begin};
  return {file_, begin, std::max(begin + 1, offsets_.byte(token->getStopIndex() + 1))};
}

Range ErrorStrategy::end_of_previous(antlr4::Parser* parser, Token* token) const {
  auto* stream = parser->getTokenStream();
  for (std::size_t i = token->getTokenIndex(); i-- > 0;) {
    Token* before = stream->get(i);
    if (before->getChannel() != Token::DEFAULT_CHANNEL) continue;
    const std::uint32_t end = offsets_.byte(before->getStopIndex() + 1);
    return {file_, end, end + 1};
  }
  return range(token);
}

// What other languages write and this one does not.
bool ErrorStrategy::report_foreign(antlr4::Parser* parser, Token* found) {
  const std::string text = found->getText();
  const auto unexpected = [&](std::string help) {
    diagnostics_.report(range(found), messages::kUnexpected, shown(found)).help(std::move(help));
    return true;
  };
  if (text == ";") return unexpected("a line needs no end mark: leave it out");
  if (text == "'") return unexpected("texts stand in double quotes: \"...\"");
  if (text == "\"") {
    diagnostics_.report(range(found), messages::kOpenText).help("a text ends on its line, with '\"'");
    return true;
  }
  if (text == "//" && parser->getContext() != nullptr) return unexpected("comments begin with '#'");
  if (text == ":") return unexpected("settings and arguments are written name=value");
  if (text == "&" || text == "!") return unexpected("write 'and', 'or', 'not'");
  if (text == "\xE2\x86\x92" || text == "=>") return unexpected("write '->'");
  if (text == "cnn" && found->getTokenIndex() > 0) return unexpected("'cnn 1' stands once, at the beginning of the file");
  return false;
}

// `epochs =` with nothing behind it takes the next line's name for its value, and then trips over that line's '='.
bool ErrorStrategy::report_missing_value(antlr4::Parser* parser, Token* found) {
  if (found->getText() != "=") return false;
  auto* stream = parser->getTokenStream();
  std::vector<Token*> before;  // the nearest first
  for (std::size_t i = found->getTokenIndex(); i-- > 0 && before.size() < 2;) {
    if (stream->get(i)->getChannel() == Token::DEFAULT_CHANNEL) before.push_back(stream->get(i));
  }
  if (before.size() < 2 || before[1]->getText() != "=" || before[0]->getLine() == before[1]->getLine()) return false;
  const std::uint32_t end = offsets_.byte(before[1]->getStopIndex() + 1);
  diagnostics_.report({file_, end, end + 1}, messages::kExpected, "a value after '='", "the end of the line");
  return true;
}

bool ErrorStrategy::report_unclosed(antlr4::Parser* parser, Token* found, const antlr4::misc::IntervalSet& expected) {
  Rule* context = parser->getContext();
  struct Bracket {
    const char* close;
    const char* open;
    Rule* owner;
    std::string what;
  };
  Rule* arguments = enclosing<CnnParser::ArgsContext>(context);
  Rule* parameters = enclosing<CnnParser::ParamsContext>(context);
  Rule* list = enclosing<CnnParser::ListLitContext>(context);
  std::vector<Bracket> brackets;
  if (arguments != nullptr) brackets.push_back({")", "(", arguments, fmt::format("the arguments of '{}'", text_of_call(arguments))});
  if (parameters != nullptr) brackets.push_back({")", "(", parameters, fmt::format("the parameters of '{}'", text_of_call(parameters))});
  if (list != nullptr) brackets.push_back({"]", "[", list, "the list"});
  const bool at_end = found->getType() == Token::EOF;
  if (at_end) {
    if (Rule* body = enclosing<CnnParser::BodyContext>(context)) brackets.push_back({"}", "{", body, "the body"});
    if (Rule* settings = enclosing<CnnParser::ConfigContext>(context)) brackets.push_back({"}", "{", settings, "the settings"});
  }
  // The innermost bracket is the one that is missing.
  std::ranges::sort(brackets, std::greater(), [](const Bracket& each) { return each.owner->getStart()->getTokenIndex(); });
  for (const Bracket& bracket : brackets) {
    if (!has(expected, bracket.close)) continue;
    const Range end = end_of_previous(parser, found);
    const int line_before = sources_.line(end), line_found = sources_.line(range(found));
    if (line_before == line_found && !at_end) return false;
    Token* opener = bracket.owner->getStart();
    diagnostics_.report(end, messages::kMissingBracket, bracket.close, bracket.what)
        .label(fmt::format("add '{}' here", bracket.close))
        .also(range(opener), "opened here");
    return true;
  }
  return false;
}

void ErrorStrategy::report(antlr4::Parser* parser, Token* found) {
  if (report_foreign(parser, found) || report_missing_value(parser, found)) return;
  const antlr4::misc::IntervalSet expected = parser->getExpectedTokens();
  if (report_unclosed(parser, found, expected)) return;
  diagnostics_.report(range(found), messages::kExpected, concept_of(parser, expected), shown(found));
}

void ErrorStrategy::reportError(antlr4::Parser* parser, const antlr4::RecognitionException& error) {
  if (inErrorRecoveryMode(parser)) return;
  beginErrorCondition(parser);
  // Where no alternative fits, the token at which the last of them failed is the one to show.
  report(parser, error.getOffendingToken());
}

void ErrorStrategy::reportUnwantedToken(antlr4::Parser* parser) {
  if (inErrorRecoveryMode(parser)) return;
  beginErrorCondition(parser);
  report(parser, parser->getCurrentToken());
}

void ErrorStrategy::reportMissingToken(antlr4::Parser* parser) {
  if (inErrorRecoveryMode(parser)) return;
  beginErrorCondition(parser);
  report(parser, parser->getCurrentToken());
}

// A closing bracket or the beginning of a statement is never taken away to make the rest fit: it is what to go on from.
Token* ErrorStrategy::singleTokenDeletion(antlr4::Parser* parser) {
  const std::string text = parser->getCurrentToken()->getText();
  if (text == "}" || text == "{" || text == "|") return nullptr;
  return DefaultErrorStrategy::singleTokenDeletion(parser);
}

}  // namespace cnnc::syntax
