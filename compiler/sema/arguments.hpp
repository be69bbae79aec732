// Arguments against the table of what is called: a layer's card, an optimizer, a data source, a transform.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/op_def.hpp"
#include "sema/values/evaluate.hpp"
#include "sema/values/operators.hpp"
#include "syntax/ast.hpp"

namespace cnnc::sema {

/// What is called, as messages name it, and what it takes.
struct Callee {
  std::string_view name;
  Range range;  // of the name
  std::span<const ir::ArgumentDef> arguments;
};

/// What was written for each argument of the callee's table, in the table's order; null: left to its default.
/// Reports unknown, repeated, missing and superfluous ones, and then gives none.
using Bound = std::vector<const syntax::Argument*>;
std::optional<Bound> bind_arguments(const Callee& callee, const std::optional<syntax::Arguments>& arguments,
                                    Diagnostics& diagnostics);

/// `operand` as the argument's type, in range; none, with a message, where it is not.
std::optional<ir::Value> convert_argument(const Callee& callee, const ir::ArgumentDef& definition,
                                          const Operand& operand, const ir::OpRegistry& ops,
                                          const Environment& environment, Diagnostics& diagnostics);

/// Every argument of a call, defaults filled in, with where each written one stands.
struct CheckedArguments {
  ir::ArgumentValues values;
  std::vector<std::pair<std::string_view, const syntax::Argument*>> written;

  /// Where `name` was written, as name=value; none where it was left to its default.
  std::optional<Range> range(std::string_view name) const;
  /// Where its value alone was written; it must have been.
  Range value_range(std::string_view name) const;
};
/// An argument that an edit sets, and the values that it means there.
struct ArgumentOverride {
  const syntax::Argument* argument;
  Environment environment;
};
std::optional<CheckedArguments> check_arguments(const Callee& callee,
                                                const std::optional<syntax::Arguments>& arguments,
                                                const ir::OpRegistry& ops, const Environment& environment,
                                                Diagnostics& diagnostics,
                                                const std::vector<ArgumentOverride>& overrides = {});

/// What was written for each argument, evaluated; null and no value: left to its default. Later overrides win.
struct WrittenArgument {
  const syntax::Argument* argument = nullptr;
  std::optional<ir::Value> value = {};  // none after a message
  const Environment* environment = nullptr;
};
std::optional<std::vector<WrittenArgument>> evaluate_arguments(const Callee& callee,
                                                               const std::optional<syntax::Arguments>& arguments,
                                                               const Environment& environment, Diagnostics& diagnostics,
                                                               const std::vector<ArgumentOverride>& overrides = {});

/// "a, b and c", for messages.
std::string enumerate(const std::vector<std::string_view>& names, std::string_view last_word = "and");

}  // namespace cnnc::sema
