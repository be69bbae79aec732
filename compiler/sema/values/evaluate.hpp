// Compile-time expressions: from syntax to values. Always terminates: no recursion, and sizes are limited.
#pragma once

#include <optional>
#include <string_view>

#include "ir/shape.hpp"
#include "ir/value.hpp"
#include "sema/names/scope.hpp"
#include "support/diagnostics.hpp"
#include "syntax/ast.hpp"

namespace cnnc::sema {

/// What an expression may refer to. `input` is what `input.channels` asks about; null where there is none.
struct Environment {
  const Scope& scope;
  const ir::Shape* input = nullptr;
};

/// The longest list or text that an expression may make, counting the elements of nested lists.
inline constexpr std::int64_t kMaxElements = 100'000;

/// The expression's value; none where there was a mistake, which is reported unless it was reported where a
/// name was bound. A name that is bound to nothing is a word: `relu`, `same`.
std::optional<ir::Value> evaluate(const syntax::Expression& expression, const Environment& environment,
                                  Diagnostics& diagnostics);

/// A condition of if, require or ?: must be true or false. `what` is the word that asks.
std::optional<bool> evaluate_condition(const syntax::Expression& expression, std::string_view what,
                                       const Environment& environment, Diagnostics& diagnostics);

/// Reports a bare word that stands where a value was wanted: an unknown name, with the nearest known one.
void report_unknown_name(std::string_view name, Range range, const Scope& scope, Diagnostics& diagnostics);

/// The index of element `index` of `length` (negative: from the end); none where it is out of range.
std::optional<std::int64_t> resolve_index(std::int64_t index, std::int64_t length);

/// A value written as a literal outside of a spec, as in `--set hidden=[512, 256]`; none where it is none.
std::optional<ir::Value> parse_literal(std::string_view text);

}  // namespace cnnc::sema
