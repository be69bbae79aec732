// Brackets that don't match. Round and square ones are closed at the end of the line they belong to; which
// brace is missing or too many, indentation tells.
#include <fmt/format.h>

#include <algorithm>

#include "support/messages.hpp"
#include "syntax/mend.hpp"

namespace cnnc::syntax {

namespace {

using antlr4::Token;

class Mender {
 public:
  Mender(TokenList& list, Diagnostics& diagnostics, ReportedLines& lines)
      : list_(list), diagnostics_(diagnostics), lines_(lines) {}

  bool run() {
    for (std::size_t i = 0; i < list_.tokens.size() && mended_ <= kMostReported; ++i) i = lists(i);
    surplus_ = 0;
    for (const Token* token : list_.tokens) surplus_ += opens(token) ? 1 : closes(token) ? -1 : 0;
    open_.clear();
    if (mended_ > kMostReported) return false;
    if (balanced()) return true;
    for (std::size_t i = 0; i < list_.tokens.size() && mended_ <= kMostReported; ++i) i = braces(i);
    return mended_ <= kMostReported;
  }

 private:
  static bool opens(const Token* token) { return token->getText() == "{"; }
  static bool closes(const Token* token) { return token->getText() == "}"; }

  Token* at(std::size_t i) const { return list_.tokens[i]; }
  std::string text(std::size_t i) const { return list_.text(i); }

  bool balanced() const {
    int depth = 0;
    for (const Token* token : list_.tokens) {
      depth += opens(token) ? 1 : closes(token) ? -1 : 0;
      if (depth < 0) return false;
    }
    return depth == 0;
  }

  void insert(std::size_t i, const std::string& bracket) {
    const std::size_t before = i == 0 ? 0 : i - 1;
    list_.tokens.insert(list_.tokens.begin() + static_cast<std::ptrdiff_t>(i),
                        list_.made(type_of(bracket), bracket, at(before), at(before)));
  }

  // One report a line.
  bool begins_report(std::size_t i) {
    ++mended_;
    return lines_.insert(at(i)->getLine()).second;
  }

  // Below: `i` is where the walk stands; the answer is where it stands then, since tokens come and go.

  // ( ) [ ]
  std::size_t lists(std::size_t i) {
    const std::string sign = text(i);
    const bool end = at(i)->getType() == Token::EOF;
    if (sign == "(" || sign == "[") return open_.push_back(i), i;
    if (sign == ")" || sign == "]") return close_list(i, sign);
    const bool impossible = end || sign == "{" || sign == "}" || sign == "|" ||
                            (sign == "->" && !open_.empty() && !closed_on_line(i)) || begins_item(i);
    while (impossible && !open_.empty()) i = add_missing(i);
    return i;
  }

  bool closed_on_line(std::size_t i) const {
    constexpr std::size_t kFarEnough = 64;
    int depth = 0;
    for (std::size_t k = i + 1;
         k < std::min(list_.tokens.size(), i + kFarEnough) && at(k)->getLine() == at(i)->getLine(); ++k) {
      const std::string sign = text(k);
      depth += sign == "(" || sign == "[" ? 1 : sign == ")" || sign == "]" ? -1 : 0;
      if (depth < 0) return true;
    }
    return false;
  }

  std::size_t close_list(std::size_t i, const std::string& sign) {
    const std::string opener = sign == ")" ? "(" : "[";
    if (!open_.empty() && text(open_.back()) == opener) return open_.pop_back(), i;
    const bool meant_below = std::ranges::any_of(open_, [&](std::size_t k) { return text(k) == opener; });
    if (meant_below) {
      while (text(open_.back()) != opener) i = add_missing(i);
      return open_.pop_back(), i;
    }
    if (open_.empty()) {
      return drop(i);
    }
    const std::size_t open = open_.back();
    open_.pop_back();
    const std::string closer = sign == ")" ? "]" : ")";
    if (begins_report(i)) {
      diagnostics_
          .report(list_.range(at(i), at(i)), messages::kExpected,
                  fmt::format("'{}' to close {}", closer, list_name(open)), shown(at(i)))
          .also(list_.range(at(open), at(open)), "opened here");
    }
    list_.tokens[i] = list_.made(type_of(closer), closer, at(i), at(i));
    return i;
  }

  // Closes the innermost bracket before `i`, at the end of the line where its list ends.
  std::size_t add_missing(std::size_t i) {
    const std::size_t open = open_.back();
    open_.pop_back();
    const std::string closer = text(open) == "(" ? ")" : "]";
    std::size_t place = i;
    int depth = 0;
    for (std::size_t k = open + 1; k < i; ++k) {
      const std::string sign = text(k);
      if (depth == 0 && list_.first_on_line(k) && ends_value(at(k - 1)) && begins_value(at(k))) {
        place = k;
        break;
      }
      depth += sign == "(" || sign == "[" ? 1 : sign == ")" || sign == "]" ? -1 : 0;
    }
    report_missing(open, place, closer, list_name(open));
    insert(place, closer);
    return i + 1;
  }

  void report_missing(std::size_t open, std::size_t place, const std::string& closer,
                      const std::string& what) {
    if (!begins_report(place - 1)) return;
    diagnostics_.report(list_.behind(at(place - 1)), messages::kMissingBracket, closer, what)
        .label(fmt::format("add '{}' here", closer))
        .also(list_.range(at(open), at(open)), "opened here");
  }

  std::string list_name(std::size_t open) const {
    const bool after_value =
        open > 0 && ends_value(at(open - 1)) && at(open - 1)->getLine() == at(open)->getLine();
    if (text(open) == "[") return after_value ? "the index" : "the list";
    if (!after_value || !is_word(at(open - 1))) return "the parentheses";
    const std::string declares = open > 1 ? text(open - 2) : "";
    const bool parameters = declares == "block" || declares == "model" || declares == "recipe";
    return fmt::format("the {} of '{}'", parameters ? "parameters" : "arguments", text(open - 1));
  }

  // { }

  std::size_t line_begin(std::size_t i) const {
    while (!list_.first_on_line(i)) --i;
    return i;
  }
  std::size_t indent(std::size_t i) const { return at(line_begin(i))->getCharPositionInLine(); }

  // `model Net`, `train Net on`: what begins a line and never stands within braces.
  bool begins_item(std::size_t i) const {
    static constexpr std::string_view kItems[] = {"model", "block", "data", "recipe", "train", "import"};
    if (!list_.first_on_line(i) || i + 2 >= list_.tokens.size() || !is_word(at(i + 1))) return false;
    const std::string next = text(i + 2);
    static constexpr std::string_view kFollow[] = {"{", "(", "=", "extends", "on", ",", "from"};
    return std::ranges::find(kItems, text(i)) != std::end(kItems) &&
           at(i + 1)->getLine() == at(i)->getLine() && std::ranges::find(kFollow, next) != std::end(kFollow);
  }

  std::size_t braces(std::size_t i) {
    const bool end = at(i)->getType() == Token::EOF;
    if (!open_.empty() && (end || (begins_item(i) && indent(i) <= indent(open_.front()))))
      return close_all(i);
    if (opens(at(i))) return open_.push_back(i), i;
    if (!closes(at(i))) return i;
    if (list_.first_on_line(i) && !open_.empty()) {
      const std::size_t here = at(i)->getCharPositionInLine();
      const bool too_many = surplus_ < 0 && here > indent(open_.back());
      if (too_many) return drop(i);
      const bool others = std::ranges::any_of(open_, [&](std::size_t k) { return indent(k) == here; });
      if (surplus_ > 0 && here < indent(open_.back()) && others) return close_inner(i, here);
    }
    if (open_.empty()) return drop(i);
    return open_.pop_back(), i;
  }

  std::size_t drop(std::size_t i) {
    if (begins_report(i)) {
      diagnostics_.report(list_.range(at(i), at(i)), messages::kUnexpected, shown(at(i)))
          .help("there is nothing open that it could close");
    }
    list_.tokens.erase(list_.tokens.begin() + static_cast<std::ptrdiff_t>(i));
    ++surplus_;
    return i - 1;
  }

  // All that is open ends before `i`; the innermost is what is missing, the others follow from it.
  std::size_t close_all(std::size_t i) {
    report_missing(open_.back(), i, "}", brace_name(open_.back()));
    for (std::size_t k = 0; k < open_.size(); ++k) insert(i, "}");
    const std::size_t count = open_.size();
    surplus_ -= static_cast<int>(count);
    open_.clear();
    return i + count;
  }

  // The `}` at `i` belongs to a brace further out: what is open within that ends where its indentation does.
  std::size_t close_inner(std::size_t i, std::size_t column) {
    bool reported = false;
    while (!open_.empty() && indent(open_.back()) != column) {
      const std::size_t open = open_.back();
      open_.pop_back();
      std::size_t place = open + 1;
      while (place < i && !(list_.first_on_line(place) && indent(place) <= indent(open))) ++place;
      if (!reported) report_missing(open, place, "}", brace_name(open));
      reported = true;
      insert(place, "}");
      --surplus_;
      ++i;
    }
    if (!open_.empty()) open_.pop_back();
    return i;
  }

  std::string brace_name(std::size_t open) const {
    std::size_t first = line_begin(open);
    while (first < open && (text(first) == "|" || text(first) == "}" || text(first) == "->")) ++first;
    static constexpr std::string_view kDeclare[] = {"model", "block", "data", "recipe",
                                                    "train", "phase", "aux",  "group"};
    if (first == open || !begins_value(at(first))) return "the braces";
    const bool declares =
        std::ranges::find(kDeclare, text(first)) != std::end(kDeclare) && is_word(at(first + 1));
    return fmt::format("'{}{}'", text(first), declares ? " " + text(first + 1) : "");
  }

  TokenList& list_;
  Diagnostics& diagnostics_;
  ReportedLines& lines_;
  std::vector<std::size_t> open_;
  int mended_ = 0;
  int surplus_ = 0;  // opening braces beyond the closing ones
};

}  // namespace

bool mend_brackets(TokenList& list, Diagnostics& diagnostics, ReportedLines& lines) {
  return Mender(list, diagnostics, lines).run();
}

}  // namespace cnnc::syntax
