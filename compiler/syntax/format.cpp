// The layout: statements on lines of their own, braces and lists on one line or broken, comments at their
// places.
#include "syntax/format.hpp"

#include <fmt/format.h>

#include <utility>

#include "support/internal_error.hpp"
#include "syntax/limits.hpp"
#include "syntax/pieces.hpp"

namespace cnnc::syntax {

namespace {

using Rule = antlr4::ParserRuleContext;

constexpr int kLongestLine = 110;
constexpr int kIndent = 2;

// Where a piece begins a line: its indent, that of the comments before it, and which blank lines may stand.
struct Line {
  int indent = 0;
  int comments = 0;
  bool blank_before = true;  // above the first comment, or above the piece where there is none
  bool blank_after = true;   // above the piece
  bool blank_needed = false;
};

template <class Context>
Context* as(antlr4::tree::ParseTree* node) {
  return dynamic_cast<Context*>(node);
}

class Layout {
 public:
  explicit Layout(const Pieces& pieces) : pieces_(pieces) {}

  std::string file(CnnParser::SpecContext* spec) {
    line(0, {});
    word(0), word(1);
    Rule* before = nullptr;
    for (CnnParser::ItemContext* item : spec->item()) {
      line(pieces_.first(item), {.blank_needed = before == nullptr || !together(before, item)});
      statement(item, 0);
      before = item;
    }
    line(pieces_.size() - 1, {});
    text_.erase(text_.find_last_not_of('\n') + 1);
    return std::move(text_) + "\n";
  }

 private:
  // Imports, aliases and the like may follow each other without a blank line.
  static bool together(Rule* a, Rule* b) {
    const auto kind = [](Rule* item) {
      auto* context = as<CnnParser::ItemContext>(item);
      if (context->importDecl() != nullptr) return 1;
      if (context->letDecl() != nullptr) return 2;
      if (auto* model = context->modelDecl();
          model != nullptr && model->body() == nullptr && model->edits() == nullptr)
        return 3;
      if (auto* train = context->trainDecl(); train != nullptr && train->config() == nullptr) return 4;
      return 0;
    };
    return kind(a) != 0 && kind(a) == kind(b);
  }

  void newline(bool blank, int indent) {
    if (text_.empty()) return;
    text_ += blank ? "\n\n" : "\n";
    text_.append(static_cast<std::size_t>(indent), ' ');
    column_ = line_indent_ = indent;
  }

  // The way to piece `i` where it begins a line.
  void line(std::size_t i, Line how) {
    const Piece& piece = pieces_[i];
    bool needed = how.blank_needed && piece.newlines < 2;
    for (const Comment& comment : piece.comments) needed = needed && comment.newlines < 2;
    for (const Comment& comment : piece.comments) {
      const bool first = &comment == &piece.comments.front();
      if (first && comment.newlines == 0 && !text_.empty()) {
        text_ += "   " + comment.text;
        continue;
      }
      newline((comment.newlines > 1 && (!first || how.blank_before)) || std::exchange(needed, false),
              how.comments);
      text_ += comment.text;
    }
    const bool allowed = how.blank_after && (!piece.comments.empty() || how.blank_before);
    newline((piece.newlines > 1 && allowed) || needed, how.indent);
    reached_ = i;
  }

  // A piece's text, behind the blank, line or comments that belong before it.
  void word(std::size_t i) {
    const Piece& piece = pieces_[i];
    if (i != reached_) {
      const int continued = piece.text == "else" ? line_indent_ : statement_indent_ + kIndent;
      if (!piece.comments.empty())
        line(i, {.indent = continued, .comments = continued, .blank_before = false, .blank_after = false});
      else if (piece.space)
        text_ += ' ', ++column_;
    }
    text_ += piece.text;
    column_ += columns(piece.text);
  }

  void words(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i <= end; ++i) {
      if (!pieces_[i].optional) word(i);
    }
  }

  // A statement whose first piece has been reached.
  void statement(Rule* context, int indent) {
    const std::size_t begin = pieces_.first(context), end = pieces_.last(context);
    const int outer_indent = std::exchange(statement_indent_, indent);
    const std::size_t outer_end = std::exchange(statement_end_, end);
    if (!pieces_.broken(begin, end) && indent + pieces_.width(begin, end) <= kLongestLine)
      words(begin, end);
    else
      parts(context);
    statement_indent_ = outer_indent;
    statement_end_ = outer_end;
  }

  void parts(antlr4::tree::ParseTree* node) {
    if (auto* leaf = as<antlr4::tree::TerminalNode>(node)) return breakable(pieces_.of(leaf));
    if (auto* merge = as<CnnParser::MergeStepContext>(node)) return branches(merge);
    if (as<CnnParser::BodyContext>(node) != nullptr || as<CnnParser::ConfigContext>(node) != nullptr ||
        as<CnnParser::EditsContext>(node) != nullptr) {
      return braces(as<Rule>(node));
    }
    if (as<CnnParser::ArgsContext>(node) != nullptr || as<CnnParser::ParamsContext>(node) != nullptr ||
        as<CnnParser::ListLitContext>(node) != nullptr) {
      return list(as<Rule>(node), as<CnnParser::ListLitContext>(node) != nullptr);
    }
    for (auto* child : node->children) parts(child);
  }

  void breakable(std::size_t i) {
    if (pieces_[i].soft && pieces_[i].comments.empty()) {
      std::size_t end = i;
      while (end < statement_end_ && !pieces_[end + 1].soft && pieces_[end + 1].text != "{") ++end;
      const int continued = statement_indent_ + kIndent;
      if (column_ + 1 + pieces_.width(i, end) > kLongestLine && column_ > continued) {
        line(i, {.indent = continued, .comments = continued, .blank_before = false, .blank_after = false});
      }
    }
    word(i);
  }

  void braces(Rule* context) {
    const std::size_t open = pieces_.first(context), close = pieces_.last(context);
    if (close == open + 1 && pieces_[close].comments.empty()) return words(open, close);
    word(open);
    const int outer = line_indent_, inner = outer + kIndent;
    bool first = true;
    for (auto* child : context->children) {
      auto* each = as<Rule>(child);
      if (each == nullptr) continue;
      line(pieces_.first(each),
           {.indent = inner, .comments = inner, .blank_before = !std::exchange(first, false)});
      statement(each, inner);
    }
    line(close, {.indent = outer, .comments = inner, .blank_before = !first, .blank_after = false});
    word(close);
  }

  void branches(CnnParser::MergeStepContext* context) {
    std::size_t i = pieces_.first(context);
    word(i);
    if (context->args() != nullptr) parts(context->args()), i = pieces_.last(context->args());
    word(i + 1);
    const int outer = line_indent_, bar = outer + kIndent, inner = bar + kIndent;
    const int outer_statement = statement_indent_;
    for (CnnParser::ArmContext* arm : context->arm()) {
      line(pieces_.first(arm), {.indent = bar, .comments = bar, .blank_before = arm != context->arm(0)});
      word(pieces_.first(arm));
      line_indent_ = statement_indent_ = inner;
      for (CnnParser::StmtContext* each : arm->stmt()) {
        const std::size_t begin = pieces_.first(each);
        const bool first = each == arm->stmt(0);
        if (!first || !pieces_[begin].comments.empty())
          line(begin, {.indent = inner, .comments = inner, .blank_before = !first});
        statement(each, inner);
      }
    }
    line(pieces_.last(context), {.indent = outer, .comments = bar, .blank_after = false});
    statement_indent_ = outer_statement;
    word(pieces_.last(context));
  }

  // Arguments one a line; of a list the writer's rows stay.
  void list(Rule* context, bool rows) {
    const std::size_t open = pieces_.first(context), close = pieces_.last(context);
    const bool wide = column_ + (pieces_[open].space ? 1 : 0) + pieces_.width(open, close) > kLongestLine;
    const bool may_break = close > open + 1 && (!rows || pieces_.newline_between(open, close));
    if (!pieces_.broken(open, close) && !(wide && may_break)) return words(open, close);
    word(open);
    const int outer = line_indent_, inner = outer + kIndent;
    const int outer_statement = std::exchange(statement_indent_, inner);
    bool first = true;
    for (auto* child : context->children) {
      auto* element = as<Rule>(child);
      if (element == nullptr) continue;
      const std::size_t begin = pieces_.first(element);
      const bool same_row = rows && !first && pieces_[begin].newlines == 0 && pieces_[begin].comments.empty();
      if (!same_row) line(begin, {.indent = inner, .comments = inner, .blank_before = !first});
      parts(element);
      text_ += ',';
      ++column_;
      first = false;
    }
    line(close, {.indent = outer, .comments = inner, .blank_before = !first, .blank_after = false});
    statement_indent_ = outer_statement;
    word(close);
  }

  const Pieces& pieces_;
  std::string text_;
  std::size_t reached_ = std::string::npos;  // the piece whose blanks and comments are written
  std::size_t statement_end_ = 0;
  int statement_indent_ = 0, line_indent_ = 0, column_ = 0;
};

// Tokens and comments, but for commas that may stand or not.
std::vector<std::string> essence(ParseTree& parsed) {
  const Pieces pieces(parsed);
  std::vector<std::string> words, comments;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (const Comment& comment : pieces[i].comments) comments.push_back(comment.text);
    if (!pieces[i].optional) words.push_back(pieces[i].text);
  }
  words.insert(words.end(), comments.begin(), comments.end());
  return words;
}

}  // namespace

std::optional<std::string> format(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics) {
  if (!within_limits(sources, file, diagnostics)) return std::nullopt;
  const Offsets offsets(sources.file(file).text());
  const auto parsed = parse_tree(sources, file, offsets, diagnostics);
  if (parsed == nullptr) return std::nullopt;
  const int errors_before = diagnostics.errors();
  TreeBuilder(file, offsets, sources, diagnostics).file(parsed->spec);
  if (diagnostics.errors() > errors_before) return std::nullopt;

  std::string text = Layout(Pieces(*parsed)).file(parsed->spec);
  Sources formatted;
  Diagnostics none;
  const auto id = formatted.add(sources.file(file).name(), text);
  const auto again = parse_tree(formatted, id, Offsets(text), none);
  if (again == nullptr || essence(*again) != essence(*parsed))
    throw InternalError("fmt", "the formatted text differs in more than blanks");
  return text;
}

}  // namespace cnnc::syntax
