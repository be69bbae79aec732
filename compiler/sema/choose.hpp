// A call or word that must be one of a table: an optimizer, a loss, a source of data.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sema/arguments.hpp"
#include "sema/file_scope.hpp"
#include "sema/reference.hpp"

namespace cnnc::sema {

/// One of a table, with its arguments: `adam(lr=1e-3)`, or the bare word.
struct Chosen {
  const Callable* callable;
  CheckedArguments arguments;
  Range range;
};
/// What `expression` chooses from the table; `what` is the kind, "optimizer". None after a message.
std::optional<Chosen> choose(const std::vector<Callable>& table, std::string_view what, const syntax::Expression& expression,
                             const Scope& values, const FileScope& file);

}  // namespace cnnc::sema
