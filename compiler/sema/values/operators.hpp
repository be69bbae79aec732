// What operators and functions do with values. They report at the ranges given and know nothing of scopes.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ir/value.hpp"
#include "support/diagnostics.hpp"
#include "syntax/ast.hpp"

namespace cnnc::sema {

/// An operand or argument with where it was written.
struct Operand {
  ir::Value value;
  Range range;
};

std::string_view spelling(syntax::BinaryOperator op);

/// left op right; `range` is the whole expression's. Not for `and` and `or`, which may leave the right side
/// alone.
std::optional<ir::Value> apply(syntax::BinaryOperator op, const Operand& left, const Operand& right,
                               Range range, Diagnostics& diagnostics);
std::optional<ir::Value> negate(const Operand& operand, Range range, Diagnostics& diagnostics);

/// Calls one of range len floor ceil round8 min max normal.
std::optional<ir::Value> call_function(const syntax::Name& name, const std::vector<Operand>& arguments,
                                       Range range, Diagnostics& diagnostics);
bool is_function(std::string_view name);
const std::vector<std::string_view>& function_names();

/// The number of values in `value`, nested ones and the characters of a text included.
std::int64_t size_of(const ir::Value& value);

/// A number of either kind as a double; none for what is no number.
std::optional<double> number_of(const ir::Value& value);

}  // namespace cnnc::sema
