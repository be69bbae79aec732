// Values written on the command line: --set classes=5, hidden=[512, 256], act=relu, size=3x32x32.
#include <charconv>
#include <cmath>

#include "sema/values/evaluate.hpp"

namespace cnnc::sema {

namespace {

using ir::Value;
using Result = std::optional<Value>;

class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  Result whole() {
    Result value = read(0);
    skip_blanks();
    return at_ == text_.size() ? value : std::nullopt;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  bool eat(char c) {
    skip_blanks();
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  Result read(int depth) {
    skip_blanks();
    if (eat('[')) return depth < 16 ? list(depth) : std::nullopt;
    if (peek() == '"') return string();
    if (is_letter(peek())) return word();
    return number();
  }

  Result list(int depth) {
    ir::List list;
    while (!eat(']')) {
      if (!list.empty() && !eat(',')) return std::nullopt;
      if (eat(']')) break;  // after a trailing comma
      Result element = read(depth + 1);
      if (!element) return std::nullopt;
      list.push_back(std::move(*element));
    }
    return Value{std::move(list)};
  }

  Result string() {
    std::string text;
    for (++at_; peek() != '"'; ++at_) {
      if (peek() == '\\') ++at_;
      if (at_ >= text_.size()) return std::nullopt;
      text += peek();
    }
    ++at_;
    return Value{std::move(text)};
  }

  Result word() {
    const std::size_t begin = at_;
    while (is_letter(peek()) || is_digit(peek())) ++at_;
    const std::string_view text = text_.substr(begin, at_ - begin);
    if (text == "true" || text == "false") return Value{text == "true"};
    return Value{ir::Word{std::string(text)}};
  }

  std::optional<std::int64_t> integer() {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (error != std::errc{}) return std::nullopt;
    at_ = static_cast<std::size_t>(end - text_.data());
    return number;
  }

  Result number() {
    const std::size_t begin = at_;
    const auto first = integer();
    if (!first) return std::nullopt;
    if (peek() == 'x') return dimensions(*first);
    if (peek() != '.' && peek() != 'e' && peek() != 'E') return Value{*first};
    double number = 0;
    const auto [end, error] = std::from_chars(text_.data() + begin, text_.data() + text_.size(), number);
    if (error != std::errc{} || !std::isfinite(number)) return std::nullopt;
    at_ = static_cast<std::size_t>(end - text_.data());
    return Value{number};
  }

  Result dimensions(std::int64_t first) {
    ir::Dimensions dimensions{{first}};
    while (peek() == 'x') {
      ++at_;
      const auto extent = integer();
      if (!extent) return std::nullopt;
      dimensions.extents.push_back(*extent);
    }
    for (const std::int64_t extent : dimensions.extents) {
      if (extent < 0) return std::nullopt;
    }
    return Value{std::move(dimensions)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result parse_literal(std::string_view text) {
  return LiteralReader(text).whole();
}

}  // namespace cnnc::sema
