// The list of tokens that is mended, and what tokens are.
#include "syntax/mend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace cnnc::syntax {

using antlr4::Token;
using generated::CnnLexer;

TokenList::TokenList(antlr4::CommonTokenStream& stream, std::uint32_t file, const Offsets& offsets)
    : file_(file), offsets_(offsets) {
  for (Token* token : stream.getTokens()) {
    if (token->getChannel() == Token::DEFAULT_CHANNEL) tokens.push_back(token);
  }
}

Token* TokenList::made(std::size_t type, std::string text, const Token* first, const Token* last) {
  auto token = std::make_unique<antlr4::CommonToken>(type, text);
  token->setText(text);
  token->setLine(first->getLine());
  token->setCharPositionInLine(first->getCharPositionInLine());
  token->setStartIndex(first->getStartIndex());
  token->setStopIndex(last->getStopIndex());
  owned_.push_back(std::move(token));
  return owned_.back().get();
}

Range TokenList::range(const Token* first, const Token* last) const {
  const std::uint32_t begin = offsets_.byte(first->getStartIndex());
  if (first->getType() == Token::EOF) return {file_, begin, begin};
  return {file_, begin, std::max(begin + 1, offsets_.byte(last->getStopIndex() + 1))};
}

Range TokenList::behind(const Token* token) const {
  const std::uint32_t end = offsets_.byte(token->getStopIndex() + 1);
  return {file_, end, end + 1};
}

std::string shown(const Token* token) {
  if (token->getType() == Token::EOF) return "the end of the file";
  const std::string text = token->getText();
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x20 || first == 0x7F) return fmt::format("a control character (0x{:02x})", first);
  return fmt::format("'{}'", text);
}

std::size_t type_of(std::string_view literal) {
  static const antlr4::dfa::Vocabulary vocabulary = [] {
    antlr4::ANTLRInputStream nothing("");
    return CnnLexer(&nothing).getVocabulary();
  }();
  const std::string quoted = fmt::format("'{}'", literal);
  for (std::size_t type = 1; type <= vocabulary.getMaxTokenType(); ++type) {
    if (vocabulary.getLiteralName(type) == quoted) return type;
  }
  return 0;
}

bool is_word(const Token* token) {
  if (token->getType() == Token::EOF || token->getType() == CnnLexer::ERROR_CHAR) return false;
  const std::string text = token->getText();
  return std::isalpha(static_cast<unsigned char>(text.front())) || text.front() == '_';
}

bool begins_value(const Token* token) {
  if (token->getType() == Token::EOF) return false;
  if (is_word(token)) {
    const std::string text = token->getText();
    return text != "and" && text != "or" && text != "in" && text != "not";
  }
  return std::isdigit(static_cast<unsigned char>(token->getText().front())) ||
         token->getType() == CnnLexer::STRING_LIT;
}

bool ends_value(const Token* token) {
  const std::string text = token->getText();
  return begins_value(token) || text == ")" || text == "]";
}

}  // namespace cnnc::syntax
