// Expressions, arguments, calls and paths of the tree.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "support/internal_error.hpp"
#include "support/messages.hpp"
#include "syntax/tree.hpp"

namespace cnnc::syntax {

Offsets::Offsets(std::string_view text, std::uint32_t base)
    : size_(text.size()), mark_(text.starts_with("\xEF\xBB\xBF") ? 3 : 0), base_(base) {
  text.remove_prefix(mark_);
  bool ascii = true;
  for (const char c : text) ascii &= static_cast<unsigned char>(c) < 0x80;
  if (ascii) return;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) bytes_.push_back(static_cast<std::uint32_t>(i + mark_));
  }
}

std::uint32_t Offsets::byte(std::size_t code_point) const {
  if (bytes_.empty()) return base_ + static_cast<std::uint32_t>(std::min(code_point + mark_, size_));
  return base_ + (code_point < bytes_.size() ? bytes_[code_point] : static_cast<std::uint32_t>(size_));
}

Range TreeBuilder::range(const antlr4::Token* first, const antlr4::Token* last) const {
  const std::uint32_t begin = offsets_.byte(first->getStartIndex());
  const std::uint32_t end = last == nullptr ? begin : offsets_.byte(last->getStopIndex() + 1);
  return {file_, begin, std::max(begin, end)};
}

std::string TreeBuilder::unescape(std::string_view quoted, std::uint32_t begin) {
  std::string text;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      text += quoted[i];
      continue;
    }
    const auto at = begin + static_cast<std::uint32_t>(i++);
    if (i < quoted.size() && (quoted[i] == '"' || quoted[i] == '\\')) text += quoted[i];
    else diagnostics_.report({file_, at, at + 1}, messages::kUnknownEscape).help("a backslash is written \\\\, a quote \\\"");
  }
  return text;
}

Name TreeBuilder::string(antlr4::tree::TerminalNode* node) {
  const Range whole = range(node);
  const std::string quoted = node->getText();
  return {unescape(std::string_view(quoted).substr(1, quoted.size() - 2), whole.begin + 1), whole};
}

std::int64_t TreeBuilder::integer(const std::string& digits, Range at) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc()) diagnostics_.report(at, messages::kNumberTooLarge, digits).help("whole numbers have 64 bits");
  return value;
}

DimensionsLiteral TreeBuilder::dimensions(antlr4::tree::TerminalNode* node) {
  DimensionsLiteral result;
  const std::string text = node->getText();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('x', begin), text.size());
    result.extents.push_back(integer(text.substr(begin, end - begin), range(node)));
    begin = end + 1;
  }
  return result;
}

ListExpression TreeBuilder::list(CnnParser::ListLitContext* context) {
  ListExpression result;
  for (auto* element : context->expr()) result.elements.push_back(expression(element));
  return result;
}

Slice TreeBuilder::slice(CnnParser::SliceExprContext* context) {
  Slice result;
  if (auto* first = context->expr()) result.first = expression(first);
  if (auto* end = context->sliceEnd()) {
    result.is_slice = true;
    if (auto* last = end->expr()) result.last = expression(last);
  }
  return result;
}

std::optional<Arguments> TreeBuilder::arguments(CnnParser::ArgsContext* context) {
  if (context == nullptr) return std::nullopt;
  Arguments result{{}, range(context)};
  for (auto* each : context->arg()) {
    Argument argument{{}, expression(each->expr()), range(each)};
    if (auto* word = each->ident()) argument.name = name(word);
    result.list.push_back(std::move(argument));
  }
  return result;
}

Call TreeBuilder::call(CnnParser::CallContext* context) {
  Call result{{}, range(context)};
  for (auto* part : context->callPart()) result.parts.push_back({name(part->ident()), arguments(part->args())});
  return result;
}

Path TreeBuilder::path(CnnParser::PathContext* context) {
  Path result{{}, range(context)};
  for (auto* each : context->component()) {
    PathComponent component;
    component.range = range(each);
    if (auto* word = each->ident()) {
      component.name = word->getText();
      const std::string rest = each->getText().substr(component.name.size());
      component.prefix = rest.starts_with("*");
      if (auto* index = each->sliceExpr()) component.slice = slice(index);
    } else {
      component.kind = each->getText() == "**" ? PathComponent::Kind::kAnyDepth : PathComponent::Kind::kAny;
    }
    result.components.push_back(std::move(component));
  }
  return result;
}

void TreeBuilder::atom(CnnParser::AtomContext* context, Expression& result) {
  if (auto* whole = dynamic_cast<CnnParser::IntAtomContext*>(context)) {
    result.form = IntegerLiteral{integer(whole->getText(), result.range)};
  } else if (auto* number = dynamic_cast<CnnParser::FloatAtomContext*>(context)) {
    const std::string text = number->getText();
    // Numbers too small for a double become its smallest, or 0, as everywhere.
    const double value = std::strtod(text.c_str(), nullptr);
    if (std::isinf(value)) {
      diagnostics_.report(result.range, messages::kNumberTooLarge, text).help("numbers are IEEE doubles");
    }
    result.form = FloatLiteral{value};
  } else if (auto* extents = dynamic_cast<CnnParser::DimsAtomContext*>(context)) {
    result.form = dimensions(extents->DIMS_LIT());
  } else if (auto* text = dynamic_cast<CnnParser::StringAtomContext*>(context)) {
    result.form = StringLiteral{string(text->STRING_LIT()).text};
  } else if (dynamic_cast<CnnParser::TrueAtomContext*>(context) != nullptr) {
    result.form = BooleanLiteral{true};
  } else if (dynamic_cast<CnnParser::FalseAtomContext*>(context) != nullptr) {
    result.form = BooleanLiteral{false};
  } else if (dynamic_cast<CnnParser::IdentityAtomContext*>(context) != nullptr) {
    result.form = IdentityLiteral{};
  } else if (dynamic_cast<CnnParser::InputAtomContext*>(context) != nullptr) {
    result.form = InputReference{};
  } else if (auto* reference = dynamic_cast<CnnParser::ReferenceAtomContext*>(context)) {
    result.form = Reference{name(reference->ident()), arguments(reference->args())};
  } else if (auto* elements = dynamic_cast<CnnParser::ListAtomContext*>(context)) {
    result.form = list(elements->listLit());
  } else if (auto* group = dynamic_cast<CnnParser::GroupAtomContext*>(context)) {
    result = std::move(*expression(group->expr()));
  } else {
    throw InternalError("syntax", "an atom of an unknown form");
  }
}

namespace {

BinaryOperator binary_operator(const std::string& text) {
  static const std::pair<std::string_view, BinaryOperator> kOperators[] = {
      {"**", BinaryOperator::kPower}, {"*", BinaryOperator::kMultiply}, {"/", BinaryOperator::kDivide},
      {"//", BinaryOperator::kFloorDivide}, {"%", BinaryOperator::kModulo}, {"+", BinaryOperator::kAdd},
      {"-", BinaryOperator::kSubtract}, {"==", BinaryOperator::kEqual}, {"!=", BinaryOperator::kNotEqual},
      {"<", BinaryOperator::kLess}, {"<=", BinaryOperator::kLessEqual}, {">", BinaryOperator::kGreater},
      {">=", BinaryOperator::kGreaterEqual}, {"in", BinaryOperator::kIn}, {"and", BinaryOperator::kAnd},
      {"or", BinaryOperator::kOr}};
  for (const auto& [word, op] : kOperators) {
    if (word == text) return op;
  }
  throw InternalError("syntax", "an unknown operator " + text);
}

}  // namespace

ExpressionPtr TreeBuilder::expression(CnnParser::ExprContext* context) {
  auto result = std::make_unique<Expression>();
  result->range = range(context);
  if (auto* plain = dynamic_cast<CnnParser::AtomExprContext*>(context)) {
    atom(plain->atom(), *result);
  } else if (auto* member = dynamic_cast<CnnParser::MemberExprContext*>(context)) {
    result->form = MemberAccess{expression(member->expr()), name(member->ident())};
  } else if (auto* index = dynamic_cast<CnnParser::IndexExprContext*>(context)) {
    result->form = IndexAccess{expression(index->expr()), slice(index->sliceExpr())};
  } else if (auto* unary = dynamic_cast<CnnParser::UnaryExprContext*>(context)) {
    const UnaryOperator op = unary->op->getText() == "-" ? UnaryOperator::kNegate : UnaryOperator::kNot;
    result->form = Unary{op, expression(unary->expr())};
  } else if (auto* binary = dynamic_cast<CnnParser::BinaryExprContext*>(context)) {
    result->form = Binary{binary_operator(binary->op->getText()), expression(binary->expr(0)), expression(binary->expr(1)),
                          range(binary->op, binary->op)};
  } else if (auto* choice = dynamic_cast<CnnParser::ConditionalExprContext*>(context)) {
    result->form = Conditional{expression(choice->expr(0)), expression(choice->expr(1)), expression(choice->expr(2))};
  } else {
    throw InternalError("syntax", "an expression of an unknown form");
  }
  return result;
}

}  // namespace cnnc::syntax
