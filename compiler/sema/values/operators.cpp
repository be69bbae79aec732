// Arithmetic, comparison and membership. Whole numbers stay whole, and every way out of 64 bits is a message.
#include "sema/values/operators.hpp"

#include <cmath>
#include <limits>

#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

using ir::Value;
using syntax::BinaryOperator;
using Result = std::optional<Value>;

std::optional<std::int64_t> power(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return std::nullopt;
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return std::nullopt;
  }
  return result;
}

std::int64_t floor_divide(std::int64_t left, std::int64_t right) {
  const std::int64_t quotient = left / right;
  return quotient - ((left % right != 0 && (left < 0) != (right < 0)) ? 1 : 0);
}

// None: beyond 64 bits. Division by zero is out of the way already.
std::optional<std::int64_t> whole(BinaryOperator op, std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case BinaryOperator::kAdd:
      overflow = __builtin_add_overflow(left, right, &result);
      break;
    case BinaryOperator::kSubtract:
      overflow = __builtin_sub_overflow(left, right, &result);
      break;
    case BinaryOperator::kMultiply:
      overflow = __builtin_mul_overflow(left, right, &result);
      break;
    case BinaryOperator::kPower:
      return power(left, right);
    default:
      if (right == -1) {  // the one quotient that can overflow
        overflow = __builtin_sub_overflow(std::int64_t{0}, left, &result);
        if (op == BinaryOperator::kModulo) return 0;
        break;
      }
      result = op == BinaryOperator::kModulo ? left - floor_divide(left, right) * right
                                             : floor_divide(left, right);
  }
  return overflow ? std::nullopt : std::optional(result);
}

double real(BinaryOperator op, double left, double right) {
  switch (op) {
    case BinaryOperator::kAdd:
      return left + right;
    case BinaryOperator::kSubtract:
      return left - right;
    case BinaryOperator::kMultiply:
      return left * right;
    case BinaryOperator::kPower:
      return std::pow(left, right);
    case BinaryOperator::kFloorDivide:
      return std::floor(left / right);
    case BinaryOperator::kModulo:
      return left - std::floor(left / right) * right;
    default:
      return left / right;
  }
}

Result not_for(BinaryOperator op, const Operand& left, const Operand& right, Range range,
               Diagnostics& diagnostics) {
  diagnostics.report(range, messages::kWrongOperands, spelling(op), describe(left.value),
                     describe(right.value));
  return std::nullopt;
}

bool divides(BinaryOperator op) {
  return op == BinaryOperator::kDivide || op == BinaryOperator::kFloorDivide || op == BinaryOperator::kModulo;
}

Result arithmetic(BinaryOperator op, const Operand& left, const Operand& right, Range range,
                  Diagnostics& diagnostics) {
  const auto a = number_of(left.value);
  const auto b = number_of(right.value);
  if (!a || !b) return not_for(op, left, right, range, diagnostics);
  if (divides(op) && *b == 0) {
    diagnostics.report(right.range, messages::kDivisionByZero).label("this is 0");
    return std::nullopt;
  }
  const auto* x = left.value.as<std::int64_t>();
  const auto* y = right.value.as<std::int64_t>();
  if (x != nullptr && y != nullptr && !(op == BinaryOperator::kPower && *y < 0)) {
    if (op == BinaryOperator::kDivide && *y != -1 && *x % *y != 0) {
      diagnostics.report(range, messages::kDivisionNotExact, *x, *y)
          .help("use // to round down, or make one of them a fraction: 2.0");
      return std::nullopt;
    }
    if (const auto result = whole(op, *x, *y)) return Value{*result};
    diagnostics.report(range, messages::kNumberOverflow, to_text(left.value), spelling(op),
                       to_text(right.value));
    return std::nullopt;
  }
  const double result = real(op, *a, *b);
  if (std::isfinite(result)) return Value{result};
  diagnostics.report(range, messages::kNotFinite, to_text(left.value), spelling(op), to_text(right.value));
  return std::nullopt;
}

// Lists and texts are joined by +.
Result join(const Operand& left, const Operand& right, Range range, Diagnostics& diagnostics) {
  const auto* list = left.value.as<ir::List>();
  const auto* more = right.value.as<ir::List>();
  const auto* text = left.value.as<std::string>();
  const auto* more_text = right.value.as<std::string>();
  if (!(list && more) && !(text && more_text))
    return not_for(BinaryOperator::kAdd, left, right, range, diagnostics);
  if (text) return Value{*text + *more_text};
  ir::List joined = *list;
  joined.insert(joined.end(), more->begin(), more->end());
  return Value{std::move(joined)};
}

// None: the two can't be compared at all.
std::optional<bool> equal(const Value& left, const Value& right) {
  const auto a = number_of(left);
  const auto b = number_of(right);
  if (a && b) return *a == *b;
  if (left.form.index() != right.form.index()) return std::nullopt;
  return left == right;
}

Result member(const Operand& left, const Operand& right, Range range, Diagnostics& diagnostics) {
  const auto* list = right.value.as<ir::List>();
  if (list == nullptr) return not_for(BinaryOperator::kIn, left, right, range, diagnostics);
  for (const Value& element : *list) {
    if (equal(left.value, element).value_or(false)) return Value{true};
  }
  return Value{false};
}

Result ordered(BinaryOperator op, const Operand& left, const Operand& right, Range range,
               Diagnostics& diagnostics) {
  const auto a = number_of(left.value);
  const auto b = number_of(right.value);
  if (!a || !b) return not_for(op, left, right, range, diagnostics);
  switch (op) {
    case BinaryOperator::kLess:
      return Value{*a < *b};
    case BinaryOperator::kLessEqual:
      return Value{*a <= *b};
    case BinaryOperator::kGreater:
      return Value{*a > *b};
    default:
      return Value{*a >= *b};
  }
}

}  // namespace

std::optional<double> number_of(const Value& value) {
  if (const auto* number = value.as<std::int64_t>()) return static_cast<double>(*number);
  if (const auto* number = value.as<double>()) return *number;
  return std::nullopt;
}

std::int64_t size_of(const Value& value) {
  if (const auto* text = value.as<std::string>()) return static_cast<std::int64_t>(text->size()) + 1;
  std::int64_t size = 1;
  if (const auto* list = value.as<ir::List>()) {
    for (const Value& element : *list) size += size_of(element);
  }
  return size;
}

std::string_view spelling(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kPower:
      return "**";
    case BinaryOperator::kMultiply:
      return "*";
    case BinaryOperator::kDivide:
      return "/";
    case BinaryOperator::kFloorDivide:
      return "//";
    case BinaryOperator::kModulo:
      return "%";
    case BinaryOperator::kAdd:
      return "+";
    case BinaryOperator::kSubtract:
      return "-";
    case BinaryOperator::kEqual:
      return "==";
    case BinaryOperator::kNotEqual:
      return "!=";
    case BinaryOperator::kLess:
      return "<";
    case BinaryOperator::kLessEqual:
      return "<=";
    case BinaryOperator::kGreater:
      return ">";
    case BinaryOperator::kGreaterEqual:
      return ">=";
    case BinaryOperator::kIn:
      return "in";
    case BinaryOperator::kAnd:
      return "and";
    case BinaryOperator::kOr:
      return "or";
  }
  return "?";
}

Result apply(BinaryOperator op, const Operand& left, const Operand& right, Range range,
             Diagnostics& diagnostics) {
  switch (op) {
    case BinaryOperator::kEqual:
    case BinaryOperator::kNotEqual: {
      const auto same = equal(left.value, right.value);
      if (!same) return not_for(op, left, right, range, diagnostics);
      return Value{*same == (op == BinaryOperator::kEqual)};
    }
    case BinaryOperator::kLess:
    case BinaryOperator::kLessEqual:
    case BinaryOperator::kGreater:
    case BinaryOperator::kGreaterEqual:
      return ordered(op, left, right, range, diagnostics);
    case BinaryOperator::kIn:
      return member(left, right, range, diagnostics);
    case BinaryOperator::kAdd:
      if (!number_of(left.value)) return join(left, right, range, diagnostics);
      [[fallthrough]];
    default:
      return arithmetic(op, left, right, range, diagnostics);
  }
}

Result negate(const Operand& operand, Range range, Diagnostics& diagnostics) {
  if (const auto* number = operand.value.as<double>()) return Value{-*number};
  const auto* number = operand.value.as<std::int64_t>();
  if (number == nullptr) {
    diagnostics.report(range, messages::kWrongOperand, "-", describe(operand.value));
    return std::nullopt;
  }
  std::int64_t result = 0;
  if (!__builtin_sub_overflow(std::int64_t{0}, *number, &result)) return Value{result};
  diagnostics.report(range, messages::kNumberOverflow, "0", "-", to_text(operand.value));
  return std::nullopt;
}

}  // namespace cnnc::sema
