// The limits, checked on bytes in one pass: strings and comments are skipped, words and brackets are counted.
#include "syntax/limits.hpp"

#include <cctype>
#include <vector>

#include "support/messages.hpp"

namespace cnnc::syntax {

namespace {

// The first byte that is not valid UTF-8 (RFC 3629), or the text's size.
std::size_t first_invalid(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    if (byte(i) == 0) return i;
    if (byte(i) < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = byte(i) >= 0xF0 && byte(i) <= 0xF4 ? 4 : (byte(i) & 0xF0) == 0xE0 ? 3 : byte(i) >= 0xC2 && byte(i) < 0xE0 ? 2 : 0;
    if (length == 0 || i + length > text.size()) return i;
    for (std::size_t j = 1; j < length; ++j) {
      if ((byte(i + j) & 0xC0) != 0x80) return i;
    }
    const bool overlong = (byte(i) == 0xE0 && byte(i + 1) < 0xA0) || (byte(i) == 0xF0 && byte(i + 1) < 0x90);
    const bool surrogate = byte(i) == 0xED && byte(i + 1) >= 0xA0;
    const bool beyond = byte(i) == 0xF4 && byte(i + 1) >= 0x90;
    if (overlong || surrogate || beyond) return i;
    i += length;
  }
  return text.size();
}

// How deep the parser and every walker of its tree will recurse: brackets that are open, operators that may nest within
// one expression, and `else if`s in a row.
class Depth {
 public:
  explicit Depth(std::string_view text) : text_(text) {}

  // The offset at which the limit is passed, or npos.
  std::size_t find() {
    while (at_ < text_.size()) {
      const std::size_t begin = at_;
      take();
      if (static_cast<int>(open_.size()) + depth_ + else_ifs_ > kDeepestNesting) return begin;
    }
    return std::string_view::npos;
  }

 private:
  void take() {
    const char c = text_[at_];
    if (c == '#') return skip_comment();
    if (c == '"') return skip_string();
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') return take_word();
    ++at_;
    if (std::isspace(static_cast<unsigned char>(c))) return;
    after_operand_ = c == ')' || c == ']' || c == '}';
    if (at_ < text_.size()) {
      const char next = text_[at_];
      if (c == '-' && next == '>') return ++at_, begin_expression();
      // '==' and its like nest as '+' does; only a single '=' begins an expression of its own.
      if (next == '=' && (c == '=' || c == '!' || c == '<' || c == '>')) return ++at_, static_cast<void>(++depth_);
    }
    switch (c) {
      case '(': case '[': case '{':
        open_.push_back({depth_, else_ifs_});
        if (c == '{') depth_ = 0, else_ifs_ = 0;
        return;
      case ')': case ']': case '}':
        if (open_.empty()) return;
        depth_ = c == '}' ? 0 : open_.back().depth + 1;
        else_ifs_ = open_.back().else_ifs;
        open_.pop_back();
        return;
      case ',': case '=': case '|': return begin_expression();
      case '+': case '-': case '*': case '/': case '%': case '<': case '>': case '?': case '.': ++depth_; return;
      default: return;
    }
  }

  void take_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    const bool is_operator = word == "not" || word == "and" || word == "or" || word == "in";
    if (!is_operator) begin_operand();
    else after_operand_ = false;
    if (word == "else") after_else_ = true;
    else if (word == "if" && after_else_) ++else_ifs_, after_else_ = false;
    else if (is_operator) ++depth_;
    else if (word == "if" || word == "let") else_ifs_ = 0, depth_ = 0;
    else after_else_ = false;
  }

  void begin_expression() { depth_ = open_.empty() ? 0 : open_.back().depth; }

  // Two operands in a row never stand in one expression: the second begins another statement.
  void begin_operand() {
    if (after_operand_) begin_expression();
    after_operand_ = true;
  }

  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
  }

  void skip_string() {
    begin_operand();
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') at_ += text_[at_] == '\\' ? 2 : 1;
    ++at_;
  }

  struct Open {
    int depth, else_ifs;
  };
  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Open> open_;
  int depth_ = 0;
  int else_ifs_ = 0;
  bool after_else_ = false;
  bool after_operand_ = false;
};

}  // namespace

std::size_t too_deep(std::string_view text) {
  return std::min(Depth(text).find(), text.size());
}

bool within_limits(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics) {
  const std::string_view text = sources.file(file).text();
  const auto range = [&](std::size_t offset) {
    const auto begin = static_cast<std::uint32_t>(offset);
    return Range{file, begin, begin + 1};
  };
  if (text.size() > kLargestText) {
    diagnostics.report_general(messages::kTextTooLarge, sources.file(file).name(), text.size() >> 20, kLargestText >> 20);
    return false;
  }
  if (const std::size_t wrong = first_invalid(text); wrong < text.size()) {
    const bool nul = text[wrong] == 0;
    diagnostics.report(range(wrong), messages::kNotText, static_cast<unsigned>(static_cast<unsigned char>(text[wrong])))
        .help(nul ? "a spec is a text file; this looks like a binary one" : "save the file as UTF-8");
    return false;
  }
  if (const std::size_t deep = too_deep(text); deep < text.size()) {
    diagnostics.report(range(deep), messages::kNestedTooDeep, kDeepestNesting)
        .help("give parts names with 'let', or blocks of their own");
    return false;
  }
  return true;
}

}  // namespace cnnc::syntax
