// Habits, by the token where the parser fails, those around it, and the word that begins its line.
#include "syntax/habits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "syntax/error_strategy.hpp"

namespace cnnc::syntax {

namespace {

using antlr4::Token;

struct Habit {
  std::string_view word;
  std::string_view help;
};

// By the first word of the line.
constexpr Habit kFirstWords[] = {
    {"def", "layers that belong together are declared block Name(parameters) { ... }"},
    {"class", "a network is declared model Name { ... }"},
    {"return", "the last layer of a body is its result: leave the line out"},
    {"from", "names of other specs are imported so: import Name from \"file.cnn\""},
    {"elif", "write 'else if'"},
    {"while", "loops are 'for x in list' and 'repeat n'"},
    {"const", "a value is declared let name = value"},
    {"var", "a value is declared let name = value"},
    {"function", "layers that belong together are declared block Name(parameters) { ... }"},
    {"network", "a network is declared model Name { ... }"},
    {"layer", "a layer is written name = conv(64, 3), without a word before it"},
    {"pass", "a body may be empty: { }"},
};

constexpr std::string_view kReserved[] = {"if",       "else",  "for",   "in",  "repeat", "from",
                                          "require",  "input", "aux",   "add", "concat", "mul",
                                          "identity", "true",  "false", "and", "or",     "not"};

class Around {
 public:
  Around(antlr4::Parser* parser, std::size_t index)
      : parser_(parser), stream_(*parser->getTokenStream()), index_(index) {}

  std::string text(int offset = 0) const {
    const auto i = static_cast<std::ptrdiff_t>(index_) + offset;
    if (i < 0 || i >= static_cast<std::ptrdiff_t>(stream_.size())) return "";
    const Token* token = stream_.get(static_cast<std::size_t>(i));
    return token->getType() == Token::EOF ? "" : token->getText();
  }
  std::size_t line(std::size_t i) const { return stream_.get(i)->getLine(); }
  bool first() const { return index_ == 0 || line(index_ - 1) != line(index_); }
  bool last() const { return text(1).empty() || line(index_ + 1) != line(index_); }
  std::string first_word() const {
    std::size_t i = index_;
    while (i > 0 && line(i - 1) == line(index_)) --i;
    return stream_.get(i)->getText();
  }

  std::optional<std::string> help() const {
    const std::string found = text();
    if (found == "//") return "comments begin with '#'";
    if (found == "cnn" && index_ > 0) return "'cnn 1' stands once, at the beginning of the file";
    if (auto python = by_first_word()) return python;
    if (found == ":") return colon();
    if (auto call = call_habit(found)) return call;
    if (found == "=" && !first() && std::ranges::find(kReserved, text(-1)) != std::end(kReserved)) {
      return fmt::format("'{}' is a word of the language and can't be a name here", text(-1));
    }
    if (text(1) == "=" && std::ranges::find(kReserved, found) != std::end(kReserved)) {
      return fmt::format("'{}' is a word of the language and can't be a name here", found);
    }
    if (found == "else") return "a choice of values is written condition ? one : other";
    if (found == "and" && (first_word() == "freeze" || first_word() == "unfreeze"))
      return "layers are joined by commas";
    if (found == "," && last()) return "a line needs no end mark: leave it out";
    if (found == "==" && !first()) return "a single '=' gives a value";
    if (found == "|") return "branches stand in add { }, concat { } or mul { }";
    return std::nullopt;
  }

 private:
  std::optional<std::string> by_first_word() const {
    const std::string word = first_word();
    for (const Habit& each : kFirstWords) {
      if (word == each.word &&
          (word != "from" || enclosing<CnnParser::BodyContext>(parser_->getContext()) == nullptr)) {
        return std::string(each.help);
      }
    }
    if (word == "import" && text(-2) == "import")
      return "names of other specs are imported so: import Name from \"file.cnn\"";
    return std::nullopt;
  }

  std::string colon() const {
    const std::string word = first_word();
    const bool block = word == "for" || word == "if" || word == "else" || word == "model" || word == "block";
    if (last() || block) return "what belongs together stands in braces: { ... }";
    if (word == "lambda" || text(-2) == "lambda")
      return "there are no functions of your own; block Name(parameters) { ... } makes layers";
    const bool in_list = enclosing<CnnParser::ArgsContext>(parser_->getContext()) != nullptr ||
                         enclosing<CnnParser::ParamsContext>(parser_->getContext()) != nullptr;
    return in_list ? "arguments are written name=value" : fmt::format("write {} = {}", text(-1), text(1));
  }

  std::optional<std::string> call_habit(const std::string& found) const {
    const auto number = [&](int offset) { return std::isdigit(static_cast<unsigned char>(text(offset)[0])) != 0; };
    if (found == "," && text(-2) == "(" && text(2) == ")" && number(-1) && number(1))
      return fmt::format("a size is written height x width: {}x{}", text(-1), text(1));
    if (found == "(" && text(-1) == ")")
      return "a layer takes the current tensor by itself: leave the second parentheses out";
    const bool adds = text(-1) == "." && (found == "add" || found == "concat" || found == "mul");
    if (adds || (found == "." && text(-1) == "model"))
      return "each line is a layer and takes the current tensor: write the layer alone";
    if (found == "=" && text(-1) == "model") return "a network is declared model Name { ... }";
    const bool at_top = parser_->getContext()->parent == nullptr;
    if (at_top && text(1) == "=")
      return "settings stand in data or train; a value of your own is declared let name = value";
    if (found == "(" && text(-1) == "input") return "the shape follows without parentheses: input 3x32x32";
    return std::nullopt;
  }

  antlr4::Parser* parser_;
  antlr4::TokenStream& stream_;
  std::size_t index_;
};

}  // namespace

std::optional<std::string> habit(antlr4::Parser* parser, std::size_t index) {
  return Around(parser, index).help();
}

}  // namespace cnnc::syntax
