// What each file of a spec declares and imports, and which values its `let`s bind.
#pragma once

#include <deque>
#include <set>
#include <string>

#include "sema/file_scope.hpp"
#include "syntax/modules.hpp"

namespace cnnc::sema {

/// What all files share.
struct Analyzed {
  const ir::OpRegistry& ops;
  const Overrides& overrides;
  const Sources& sources;
  Diagnostics& diagnostics;
};

/// The scopes of all modules in their order: what is imported stands before who imports it.
std::deque<FileScope> declare(const syntax::Modules& modules, const Analyzed& shared);

/// Reports every --set that names nothing or is no value.
void check_overrides(const syntax::File& spec, const FileScope& file);

/// The names that the file's models are made from or call.
std::set<std::string, std::less<>> names_used_by_models(const syntax::File& file);

}  // namespace cnnc::sema
