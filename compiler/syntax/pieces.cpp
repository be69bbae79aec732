// From tokens and parse tree to pieces: comments to their tokens, blanks by the grammar's rules.
#include "syntax/pieces.hpp"

#include <algorithm>

namespace cnnc::syntax {

namespace {

using antlr4::Token;
using Rule = antlr4::ParserRuleContext;
using generated::CnnLexer;

int lines_in(const std::string& text) {
  int count = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    count += text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
  return count;
}

std::string without_trailing_blanks(std::string text) {
  text.erase(text.find_last_not_of(" \t") + 1);
  return text;
}

bool is_braced(Rule* context) {
  return dynamic_cast<CnnParser::BodyContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::ConfigContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::EditsContext*>(context) != nullptr;
}

bool is_list(Rule* context) {
  return dynamic_cast<CnnParser::ArgsContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::ParamsContext*>(context) != nullptr ||
         dynamic_cast<CnnParser::ListLitContext*>(context) != nullptr;
}

// Values that would be misread without blanks around the '=' before them: `stride = i > 0 ? 2 : 1`.
bool is_loose(CnnParser::ExprContext* value) {
  if (dynamic_cast<CnnParser::ConditionalExprContext*>(value) != nullptr) return true;
  if (auto* unary = dynamic_cast<CnnParser::UnaryExprContext*>(value)) return unary->op->getText() == "not";
  auto* binary = dynamic_cast<CnnParser::BinaryExprContext*>(value);
  if (binary == nullptr) return false;
  static constexpr const char* kLoose[] = {"==", "!=", "<", "<=", ">", ">=", "in", "and", "or"};
  return std::ranges::find(kLoose, binary->op->getText()) != std::end(kLoose);
}

// Arguments of an extended model are its new defaults, and written as parameters are: `extends VGG16(classes
// = 10)`.
bool is_extended(CnnParser::ArgContext* argument) {
  auto* call = argument->parent->parent->parent;
  auto* model = call == nullptr ? nullptr : dynamic_cast<CnnParser::ModelDeclContext*>(call->parent);
  return model != nullptr && model->edits() != nullptr;
}

}  // namespace

int columns(const std::string& text) {
  return static_cast<int>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Pieces::Pieces(ParseTree& parsed) {
  take(parsed.tokens);
  hoist_comments();
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (!pieces_[i].comments.empty()) pieces_[i].forced = true;
    if (pieces_[i].text == ",") glue(i);
    if (pieces_[i].text == ".") glue(i), glue(i + 1);
    if (i > 0 && pieces_[i].text == "}" && pieces_[i - 1].text == "{") glue(i);
  }
  sum();  // newlines are asked for while marking
  mark(parsed.spec, false);
  sum();
}

void Pieces::take(antlr4::CommonTokenStream& tokens) {
  Piece next;
  for (const Token* token : tokens.getTokens()) {
    of_token_.push_back(pieces_.size());
    switch (token->getType()) {
      case CnnLexer::WS:
        continue;
      case CnnLexer::NL:
        next.newlines += lines_in(token->getText());
        continue;
      case CnnLexer::COMMENT:
        next.comments.push_back({without_trailing_blanks(token->getText()), next.newlines});
        next.newlines = 0;
        continue;
      default:
        next.text = token->getType() == Token::EOF ? "" : token->getText();
        pieces_.push_back(std::move(next));
        next = Piece();
    }
  }
}

// A comma or an opening brace stays on its line: comments before it go behind it.
void Pieces::hoist_comments() {
  for (std::size_t i = 0; i + 1 < pieces_.size(); ++i) {
    if ((pieces_[i].text != "," && pieces_[i].text != "{") || pieces_[i].comments.empty()) continue;
    std::vector<Comment> comments = std::move(pieces_[i].comments);
    pieces_[i].comments.clear();
    Piece& next = pieces_[i + 1];
    // Behind a comment a line ends.
    if (next.comments.empty())
      next.newlines = std::max(next.newlines, 1);
    else
      next.comments.front().newlines = std::max(next.comments.front().newlines, 1);
    next.comments.insert(next.comments.begin(), comments.begin(), comments.end());
  }
}

void Pieces::sum() {
  columns_ = forced_ = newlines_ = {0};
  for (const Piece& piece : pieces_) {
    columns_.push_back(columns_.back() + (piece.optional ? 0 : columns(piece.text) + (piece.space ? 1 : 0)));
    forced_.push_back(forced_.back() + (piece.forced ? 1 : 0));
    int newlines = piece.newlines;
    for (const Comment& comment : piece.comments) newlines += comment.newlines;
    newlines_.push_back(newlines_.back() + newlines);
  }
}

int Pieces::width(std::size_t begin, std::size_t end) const {
  return columns_[end + 1] - columns_[begin] - (pieces_[begin].space ? 1 : 0);
}

void Pieces::mark(Rule* context, bool in_brackets) {
  if (is_list(context)) mark_list(context);
  if (is_braced(context)) mark_body(context, first(context));
  if (!in_brackets) mark_soft(context);
  const std::size_t begin = context->getStop() == nullptr ? 0 : first(context);
  if (auto* group = dynamic_cast<CnnParser::GroupAtomContext*>(context)) {
    glue(begin + 1), glue(last(group));
  } else if (auto* index = dynamic_cast<CnnParser::IndexExprContext*>(context)) {
    glue(first(index->sliceExpr()) - 1), glue(first(index->sliceExpr())), glue(last(index));
  } else if (auto* component = dynamic_cast<CnnParser::ComponentContext*>(context)) {
    for (std::size_t i = begin + 1; i <= last(component); ++i) {
      if (pieces_[i].text == "*" && i == begin + 1) glue(i);
    }
    if (auto* slice = component->sliceExpr())
      glue(first(slice) - 1), glue(first(slice)), glue(last(component));
  } else if (auto* end = dynamic_cast<CnnParser::SliceEndContext*>(context)) {
    glue(begin);
    if (end->expr() != nullptr) glue(begin + 1);
  } else if (auto* unary = dynamic_cast<CnnParser::UnaryExprContext*>(context)) {
    if (unary->op->getText() == "-") glue(begin + 1);
  } else if (auto* argument = dynamic_cast<CnnParser::ArgContext*>(context)) {
    if (argument->ident() != nullptr && !is_extended(argument))
      mark_equals(argument->children[1], argument->expr());
  } else if (auto* merge = dynamic_cast<CnnParser::MergeStepContext*>(context)) {
    for (auto* arm : merge->arm()) pieces_[first(arm)].forced = true;
  } else if (auto* set = dynamic_cast<CnnParser::SetEditContext*>(context)) {
    for (std::size_t i = 0; i < set->children.size(); ++i) {
      auto* value = dynamic_cast<CnnParser::ExprContext*>(set->children[i]);
      if (value != nullptr) mark_equals(set->children[i - 1], value);
    }
  }
  const bool opens = is_list(context) || dynamic_cast<CnnParser::GroupAtomContext*>(context) != nullptr ||
                     dynamic_cast<CnnParser::IndexExprContext*>(context) != nullptr;
  for (auto* child : context->children) {
    if (auto* rule = dynamic_cast<Rule*>(child)) mark(rule, in_brackets || opens);
  }
}

// Lists are broken where the writer broke the line behind the opening bracket.
void Pieces::mark_list(Rule* context) {
  const std::size_t open = first(context), close = last(context);
  const bool after_text = dynamic_cast<CnnParser::InitWeightsContext*>(context->parent) != nullptr;
  if (pieces_[open].text == "(" && !after_text) glue(open);
  glue(open + 1), glue(close);
  if (close == open + 1) return;
  if (pieces_[open + 1].newlines > 0) pieces_[open + 1].forced = true;
  if (pieces_[close - 1].text == ",") pieces_[close - 1].optional = true;
}

// Braces stay on one line where the writer has them so, with one statement in them.
void Pieces::mark_body(Rule* context, std::size_t open) {
  std::size_t statements = 0;
  for (auto* child : context->children) statements += dynamic_cast<Rule*>(child) != nullptr ? 1 : 0;
  if (statements > 1 || (statements == 1 && newline_between(open, last(context))))
    pieces_[open + 1].forced = true;
}

void Pieces::mark_equals(antlr4::tree::ParseTree* equals, CnnParser::ExprContext* value) {
  if (is_loose(value)) return;
  glue(of(dynamic_cast<antlr4::tree::TerminalNode*>(equals)));
  glue(first(value));
}

// Statements that are too long are broken before '->', 'and', 'or' and a requirement's text, and behind
// commas.
void Pieces::mark_soft(Rule* context) {
  const bool by_commas = dynamic_cast<CnnParser::SelectorsContext*>(context) != nullptr ||
                         dynamic_cast<CnnParser::ImportDeclContext*>(context) != nullptr ||
                         dynamic_cast<CnnParser::TrainDeclContext*>(context) != nullptr;
  for (auto* child : context->children) {
    auto* node = dynamic_cast<antlr4::tree::TerminalNode*>(child);
    if (node == nullptr || node->getSymbol()->getType() == Token::EOF) continue;
    const std::size_t i = of(node);
    const std::string& text = pieces_[i].text;
    if (by_commas && text == ",") pieces_[i + 1].soft = true;
    if (text == "->" || text == "and" || text == "or") pieces_[i].soft = true;
    if (dynamic_cast<CnnParser::RequireStmtContext*>(context) != nullptr && text != "require")
      pieces_[i].soft = true;
  }
}

}  // namespace cnnc::syntax
