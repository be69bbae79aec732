// Signs of other languages and keyboards. Of each kind only the first is reported: who writes one `;` writes
// many.
#include <fmt/format.h>

#include <algorithm>

#include "support/messages.hpp"
#include "syntax/mend.hpp"

namespace cnnc::syntax {

namespace {

using antlr4::Token;
using generated::CnnLexer;

bool touch(const Token* a, const Token* b) {
  return a->getStopIndex() + 1 == b->getStartIndex();
}

bool is_number(const Token* token) {
  return token->getType() == CnnLexer::INT_LIT || token->getType() == CnnLexer::FLOAT_LIT ||
         token->getType() == CnnLexer::DIMS_LIT;
}

// A sign that stands for one of ours, or for nothing.
struct Sign {
  std::string_view text;
  std::string_view meant;  // empty: it is dropped
  std::string_view help;
};

constexpr Sign kSigns[] = {
    {";", "", "a line needs no end mark: leave it out"},
    {"\\", "", "a line needs no mark to go on in the next: leave it out"},
    {"\xE2\x86\x92", "->", "write '->'"},
    {"\xE2\x88\x92", "-", "this is not the sign of the keyboard: write '-'"},
    {"\xE2\x80\x93", "-", "this is not the sign of the keyboard: write '-'"},
    {"&", "and", "write 'and', 'or', 'not'"},
    {"!", "not", "write 'and', 'or', 'not'"},
    {"^", "**", "a power is written with '**'"},
};

constexpr std::string_view kInvisible[] = {"\xC2\xA0", "\xE3\x80\x80", "\xE2\x80\x8B", "\xEF\xBB\xBF",
                                           "\xE2\x80\xAF"};

class Mender {
 public:
  Mender(TokenList& list, Diagnostics& diagnostics, ReportedLines& lines)
      : list_(list), diagnostics_(diagnostics), lines_(lines) {}

  void run() {
    while (at_ < list_.tokens.size()) {
      if (!foreign()) result_.push_back(list_.tokens[at_++]);
    }
    list_.tokens = std::move(result_);
  }

 private:
  Token* here(std::size_t ahead = 0) const {
    return list_.tokens[std::min(at_ + ahead, list_.tokens.size() - 1)];
  }
  bool pair(std::string_view first, std::string_view second) const {
    return here()->getText() == first && here(1)->getText() == second && touch(here(), here(1));
  }

  void report(std::string_view kind, const Token* first, const Token* last, const std::string& what,
              std::string_view help) {
    if (lines_.contains(first->getLine()) || !kinds_.insert(std::string(kind)).second) return;
    lines_.insert(first->getLine());
    diagnostics_.report(list_.range(first, last), messages::kUnexpected, what).help(std::string(help));
  }

  void replace(std::size_t count, std::size_t type, const std::string& text) {
    result_.push_back(list_.made(type, text, here(), here(count - 1)));
    at_ += count;
  }

  bool foreign() {
    if (here()->getType() == Token::EOF) return false;
    if (here()->getType() == CnnLexer::ERROR_CHAR) return character();
    if (pair("=", ">")) {
      report("=>", here(), here(1), "'=>'", "write '->'");
      return replace(2, type_of("->"), "->"), true;
    }
    if (pair("|", "|")) {
      report("&", here(), here(1), "'||'", "write 'and', 'or', 'not'");
      return replace(2, type_of("or"), "or"), true;
    }
    return comment() || number();
  }

  bool character() {
    const std::string text = here()->getText();
    if (text == "\"") return open_text();
    if (text == "'" || text == "\xE2\x80\x9C" || text == "\xE2\x80\x9D" || text == "`")
      return other_quotes(text);
    if (text == "\xC3\x97" && !result_.empty() && is_number(result_.back()) && is_number(here(1)))
      return times();
    for (const Sign& sign : kSigns) {
      if (text != sign.text) continue;
      const std::size_t count = text == "&" && pair("&", "&") ? 2 : 1;
      report(sign.text, here(), here(count - 1), count == 2 ? "'&&'" : shown(here()), sign.help);
      if (sign.meant.empty())
        ++at_;
      else
        replace(count, type_of(sign.meant), std::string(sign.meant));
      return true;
    }
    if (std::ranges::find(kInvisible, text) != std::end(kInvisible))
      report("blank", here(), here(), "character that can't be seen", "write an ordinary blank");
    else
      report(text, here(), here(), shown(here()), "outside of texts and comments this sign has no meaning");
    ++at_;
    return true;
  }

  // Those from here on. Looked up once a line: a line may have a million.
  std::size_t tokens_on_line() {
    if (line_end_ <= at_) {
      line_end_ = at_ + 1;
      while (list_.tokens[line_end_ - 1]->getType() != Token::EOF &&
             list_.tokens[line_end_]->getType() != Token::EOF &&
             list_.tokens[line_end_]->getLine() == here()->getLine()) {
        ++line_end_;
      }
    }
    return line_end_ - at_;
  }

  // The text takes the rest of its line, but for brackets that close something before it.
  bool open_text() {
    if (lines_.insert(here()->getLine()).second && ++open_texts_ <= kMostReported) {
      diagnostics_.report(list_.range(here(), here()), messages::kOpenText)
          .help("a text ends on its line, with '\"'");
    }
    const std::size_t count = tokens_on_line();
    std::vector<Token*> closing;
    int depth = 0;
    for (std::size_t i = 1; i < count; ++i) {
      const std::string text = here(i)->getText();
      if (text == "(" || text == "[" || text == "{") ++depth;
      if (text != ")" && text != "]" && text != "}") continue;
      if (--depth < 0) closing.push_back(here(i)), depth = 0;
    }
    replace(count, CnnLexer::STRING_LIT, "\"\"");
    result_.insert(result_.end(), closing.begin(), closing.end());
    return true;
  }

  bool other_quotes(const std::string& quote) {
    const std::string name = quote == "'" ? "single quote" : quote == "`" ? "backquote" : "typographic quote";
    const std::size_t count = tokens_on_line();
    for (std::size_t i = 1; i < count; ++i) {
      const std::string text = here(i)->getText();
      if (text != quote && text != "\xE2\x80\x9D") continue;
      report("quotes", here(), here(i), name, "texts stand in double quotes: \"...\"");
      return replace(i + 1, CnnLexer::STRING_LIT, "\"\""), true;
    }
    report("quotes", here(), here(), name, "texts stand in double quotes: \"...\"");
    ++at_;
    return true;
  }

  // 3×224×224
  bool times() {
    const Token* first = result_.back();
    std::string text = first->getText();
    std::size_t count = 0;
    while (here(count)->getText() == "\xC3\x97" && is_number(here(count + 1)))
      text += "x" + here(count + 1)->getText(), count += 2;
    report("times", first, here(count - 1), "sign between numbers", fmt::format("write a small x: {}", text));
    result_.back() = list_.made(CnnLexer::DIMS_LIT, text, first, here(count - 1));
    at_ += count;
    return true;
  }

  // `/* ... */`, and `//` where no division can stand.
  bool comment() {
    if (here()->getText() == "/" && here(1)->getText().starts_with("*") && touch(here(), here(1))) {
      std::size_t end = 1;
      const auto ends = [&] {
        return here(end)->getText().ends_with("*") && here(end + 1)->getText() == "/" &&
               touch(here(end), here(end + 1));
      };
      while (here(end)->getType() != Token::EOF && !ends()) ++end;
      const std::size_t count = here(end)->getType() == Token::EOF ? tokens_on_line() : end + 2;
      report("comment", here(), here(1), "'/*'", "comments begin with '#'");
      at_ += count;
      return true;
    }
    if (here()->getText() != "//" || !(list_.first_on_line(at_) || is_prose())) return false;
    report("comment", here(), here(), "'//'", "comments begin with '#'");
    at_ += tokens_on_line();
    return true;
  }

  // Two words in a row are no value.
  bool is_prose() const {
    const auto on_line = [&](std::size_t i) {
      return here(i)->getType() != Token::EOF && here(i)->getLine() == here()->getLine();
    };
    if (!on_line(1)) return true;
    if (!begins_value(here(1)) && here(1)->getText() != "(" && here(1)->getText() != "-") return true;
    constexpr std::size_t kFarEnough = 16;
    for (std::size_t i = 2; i < kFarEnough && on_line(i); ++i) {
      if (ends_value(here(i - 1)) && begins_value(here(i))) return true;
    }
    return false;
  }

  bool number() {
    const bool alone = result_.empty() || !ends_value(result_.back()) || !touch(result_.back(), here());
    if (here()->getText() == "." && alone && here(1)->getType() == CnnLexer::INT_LIT &&
        touch(here(), here(1))) {
      const std::string text = "." + here(1)->getText();
      report("number", here(), here(1), fmt::format("'{}'", text),
             fmt::format("a number begins with a digit: write 0{}", text));
      return replace(2, CnnLexer::FLOAT_LIT, "0" + text), true;
    }
    if (here()->getType() == CnnLexer::INT_LIT && here(1)->getText() == "." && touch(here(), here(1)) &&
        !(is_word(here(2)) && touch(here(1), here(2)))) {
      const std::string text = here()->getText() + ".";
      report("number", here(), here(1), fmt::format("'{}'", text), fmt::format("write {}0", text));
      return replace(2, CnnLexer::FLOAT_LIT, text + "0"), true;
    }
    if (!is_number(here()) || !is_word(here(1)) || !touch(here(), here(1))) return false;
    const std::string number = here()->getText(), word = here(1)->getText();
    std::string digits = number + word,
                help = "a name begins with a letter, and behind a number stands a blank";
    std::erase(digits, '_');
    const bool separated = digits.find_first_not_of("0123456789") == std::string::npos;
    if (separated) help = fmt::format("digits stand without marks between them: {}", digits);
    if (number == "0" && word.starts_with("x") &&
        word.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string::npos && word.size() > 1 &&
        word.size() < 16) {
      help = fmt::format("numbers are decimal: {}", std::stoull(word.substr(1), nullptr, 16));
    }
    report("number", here(), here(1), fmt::format("'{}{}'", number, word), help);
    return replace(2, CnnLexer::INT_LIT, separated ? digits : "1"), true;
  }

  TokenList& list_;
  Diagnostics& diagnostics_;
  ReportedLines& lines_;
  std::size_t at_ = 0;
  std::vector<Token*> result_;
  std::set<std::string> kinds_;
  std::size_t line_end_ = 0;
  int open_texts_ = 0;
};

}  // namespace

void mend_characters(TokenList& list, Diagnostics& diagnostics, ReportedLines& lines) {
  Mender(list, diagnostics, lines).run();
}

}  // namespace cnnc::syntax
