// Syntax errors in people's words: token sets become things a person would name, and habits of other
// languages are known.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "syntax/error_strategy.hpp"
#include "syntax/habits.hpp"

namespace cnnc::syntax {

namespace {

using antlr4::Token;
using antlr4::misc::IntervalSet;
using generated::CnnLexer;
using Rule = antlr4::ParserRuleContext;

bool has(const IntervalSet& set, std::string_view literal) {
  return set.contains(static_cast<ssize_t>(type_of(literal)));
}

constexpr std::string_view kLayers = "layers, as in 'last 4 layers of backbone', or a path";

// The set of tokens that could follow, as one thing a person would name.
std::string concept_of(antlr4::Parser* parser, const IntervalSet& expected) {
  const bool name = expected.contains(static_cast<ssize_t>(CnnLexer::NAME));
  const bool value = expected.contains(static_cast<ssize_t>(CnnLexer::FLOAT_LIT));
  if (name && value) return "a value";
  if (name && has(expected, "repeat")) return "a layer";
  if (name && has(expected, "phase") && has(expected, "}")) return "a setting, a phase or '}'";
  if (name && has(expected, "all") && has(expected, "**")) {
    return enclosing<CnnParser::SelectorsContext>(parser->getContext()) != nullptr
               ? std::string(kLayers)
               : "a path, as in backbone.block4";
  }
  if (has(expected, "recipe") && has(expected, "train"))
    return name ? "a name" : "import, let, block, model, data, recipe or train";
  if (name) return "a name";
  if (expected.contains(static_cast<ssize_t>(CnnLexer::DIMS_LIT))) return "a shape, as in 3x224x224";
  if (has(expected, "|")) return "a branch, which begins with '|'";
  if (has(expected, "remove") && has(expected, "}")) return "replace, remove, insert, set or '}'";
  std::vector<std::string> words;
  for (const ssize_t type : expected.toList()) {
    if (type < 0) continue;
    const std::string literal = parser->getVocabulary().getLiteralName(static_cast<std::size_t>(type));
    if (type == static_cast<ssize_t>(CnnLexer::STRING_LIT))
      words.push_back("a text in double quotes");
    else if (type == static_cast<ssize_t>(CnnLexer::INT_LIT))
      words.push_back("a number");
    else if (!literal.empty())
      words.push_back(literal);
  }
  if (words.empty()) return "something else";
  if (words.size() > 4) words.resize(4);
  const std::string last = words.back();
  words.pop_back();
  return words.empty() ? last : fmt::format("{} or {}", fmt::join(words, ", "), last);
}

class Search {
 public:
  Search(antlr4::Parser* parser, const TokenList& list, const ReportedLines& lines, Token* found)
      : parser_(parser),
        list_(list),
        lines_(lines),
        found_(found),
        index_(found->getTokenIndex()),
        context_(parser->getContext()) {}

  Finding result() {
    if (auto foreign = habit(parser_, index_)) return unexpected(found_, *foreign);
    if (auto missing = value_after_equals()) return *missing;
    if (auto missing = missing_object()) return *missing;
    if (auto incomplete = setting()) return *incomplete;
    if (auto comma = separator()) return *comma;
    const IntervalSet expected = parser_->getExpectedTokens();
    std::string what = concept_of(parser_, expected);
    if (has(expected, "on") && !expected.contains(static_cast<ssize_t>(CnnLexer::NAME)))
      what = "'on' and the name of the data";
    std::string help;
    if (what == "a name" && is_word(found_))
      help = fmt::format("'{}' is a word of the language and can't be a name here", found_->getText());
    Rule* merge = enclosing<CnnParser::MergeStepContext>(context_);
    if (merge != nullptr && (merge == context_ || what.starts_with("a branch"))) {
      help = fmt::format("{} {{ | one branch | another }}", merge->getStart()->getText());
    }
    if (what == "a shape, as in 3x224x224") help = "channels x height x width, without brackets or commas";
    if (what == "a layer" && before() != nullptr && before()->getText() == "=" && !is_word(found_)) {
      help = fmt::format("a value is declared let {} = {}", before(2)->getText(), found_->getText());
    }
    if (enclosing<CnnParser::EmbeddedContext>(context_) != nullptr) return in_text(what);
    const bool between = what == "a layer" || what.starts_with("replace, remove") ||
                         what == "a setting, a phase or '}'" || context_->parent == nullptr;
    return between || before() == nullptr ? expected_at(found_, what, help)
                                          : expected_behind(before(), what, help);
  }

 private:
  Token* before(std::size_t distance = 1) const {
    return index_ < distance ? nullptr : parser_->getTokenStream()->get(index_ - distance);
  }

  Finding unexpected(Token* token, const std::string& help) const {
    return {Finding::Kind::kUnexpected, list_.range(token, token), "", shown(token), help};
  }

  // Between the braces of a text.
  Finding in_text(const std::string& what) const {
    Finding result = expected_at(found_, what == "something else" ? "an operator or '}'" : what, "");
    if (found_->getType() != Token::EOF) return result;
    result.range.end = result.range.begin + 1;
    result.found = "'}'";
    return result;
  }

  // What is missing at the end of a line is shown there.
  Finding expected_at(Token* token, const std::string& what, const std::string& help) const {
    return {Finding::Kind::kExpected, list_.range(token, token), what, shown(token), help};
  }
  Finding expected_behind(Token* token, const std::string& what, const std::string& help) const {
    if (found_->getType() != Token::EOF && found_->getLine() == token->getLine())
      return expected_at(found_, what, help);
    return {Finding::Kind::kExpected, list_.behind(token), what, "the end of the line", help};
  }

  // `epochs =` with nothing behind it, or with the next line's name, whose '=' is then in the way.
  std::optional<Finding> value_after_equals() const {
    Token* equals = before();
    const bool on_next =
        before(2) != nullptr && before(2)->getText() == "=" && before()->getLine() == found_->getLine();
    if (on_next && (found_->getText() == "=" || begins_value(found_))) equals = before(2);
    if (equals == nullptr || equals->getText() != "=" || equals->getLine() == found_->getLine())
      return std::nullopt;
    const bool in_body = enclosing<CnnParser::LayerStmtContext>(context_) != nullptr &&
                         enclosing<CnnParser::ExprContext>(context_) == nullptr;
    return Finding{Finding::Kind::kExpected, list_.behind(equals),
                   in_body ? "a layer after '='" : "a value after '='", "the end of the line", ""};
  }

  // `freeze` or `require` with nothing behind it takes the next line's first word.
  std::optional<Finding> missing_object() const {
    for (std::size_t distance = 1; distance <= 3; ++distance) {
      Token* word = before(distance);
      const std::string text = word == nullptr ? "" : word->getText();
      if ((text != "freeze" && text != "unfreeze" && text != "require") || lines_.contains(word->getLine()))
        continue;
      const Token* next = distance == 1 ? found_ : before(distance - 1);
      if (next->getLine() == word->getLine()) continue;
      const std::string what = text == "require" ? "a condition" : std::string(kLayers);
      return Finding{Finding::Kind::kExpected, list_.behind(word), what, "the end of the line", ""};
    }
    return std::nullopt;
  }

  // `checkpoint` alone, `epochs 10`, `epochs == 10`, `dropout 0.5`.
  std::optional<Finding> setting() const {
    if (before() == nullptr || !is_word(before()) || found_->getText() == "=") return std::nullopt;
    const bool same_line = before()->getLine() == found_->getLine();
    const std::string name = before()->getText(), value = found_->getText();
    const bool is_value = begins_value(found_) && same_line;
    auto* begun = dynamic_cast<CnnParser::ConfigStmtContext*>(context_);
    if (begun != nullptr && begun->getStart()->getTokenIndex() + 1 == index_) {
      std::string help;
      if (is_value) help = fmt::format("write {} = {}", name, value);
      if (value == "==" || value == ":")
        help = fmt::format("a setting is written with one '=': {} = ...", name);
      return expected_behind(before(), fmt::format("'=' or '(' after '{}'", name), help);
    }
    if (is_value && !is_word(found_) && dynamic_cast<CnnParser::BodyContext*>(context_) != nullptr) {
      return unexpected(found_, fmt::format("arguments stand in parentheses: {}({})", name, value));
    }
    return std::nullopt;
  }

  // Two values in a row in a list.
  std::optional<Finding> separator() const {
    if (before() == nullptr || !ends_value(before()) || !begins_value(found_)) return std::nullopt;
    Rule* const lists[] = {enclosing<CnnParser::ArgsContext>(context_),
                           enclosing<CnnParser::ParamsContext>(context_),
                           enclosing<CnnParser::ListLitContext>(context_)};
    Rule* innermost = nullptr;
    for (Rule* each : lists) {
      if (each == nullptr) continue;
      if (innermost == nullptr || each->getStart()->getTokenIndex() > innermost->getStart()->getTokenIndex())
        innermost = each;
    }
    if (innermost == nullptr || enclosing<CnnParser::GroupAtomContext>(context_) != nullptr)
      return std::nullopt;
    const std::string closer = innermost->getStart()->getText() == "[" ? "]" : ")";
    return expected_behind(before(), fmt::format("',' or '{}'", closer), "");
  }

  antlr4::Parser* parser_;
  const TokenList& list_;
  const ReportedLines& lines_;
  Token* found_;
  std::size_t index_;
  Rule* context_;
};

}  // namespace

Finding finding(antlr4::Parser* parser, const TokenList& list, const ReportedLines& lines, Token* found) {
  return Search(parser, list, lines, found).result();
}

}  // namespace cnnc::syntax
