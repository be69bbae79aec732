// What the names of one file stand for: values, and declarations of its own or imported.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/op_def.hpp"
#include "sema/names/scope.hpp"
#include "support/diagnostics.hpp"
#include "syntax/ast.hpp"

namespace cnnc::sema {

/// `--set classes=5`: names and texts of compile-time values.
using Overrides = std::vector<std::pair<std::string, std::string>>;

struct FileScope;

/// What a name stands for. Names inside it mean what they mean in `home`, the file that declares it.
struct Declaration {
  std::variant<const syntax::LetItem*, const syntax::BlockItem*, const syntax::ModelItem*, const syntax::DataItem*,
               const syntax::RecipeItem*>
      item;
  const FileScope* home = nullptr;
  Range range;  // of the whole item
  Range name;   // of its name

  template <class Item>
  const Item* as() const {
    const auto* found = std::get_if<const Item*>(&item);
    return found == nullptr ? nullptr : *found;
  }
};

/// "a block", "the data", for messages.
std::string_view kind_of(const Declaration& declaration);

/// One file's names. References between the scopes of imported files stay valid while an analysis lasts.
struct FileScope {
  const ir::OpRegistry& ops;
  const Overrides& overrides;
  const Sources& sources;
  Diagnostics& diagnostics;
  std::int32_t index = 0;   // among the files of the analysis; words that name blocks carry it
  std::string folder = {};  // this file's, relative to that of the spec; empty, or with '/' at its end
  Scope values = Scope();
  std::map<std::string, Declaration, std::less<>> declarations = {};
  std::set<std::string, std::less<>> broken = {};  // names whose import failed: reported there

  /// The declaration of `name`, where it is an Item; else null.
  template <class Item>
  const Declaration* find(std::string_view name) const {
    const auto found = declarations.find(name);
    return found == declarations.end() || found->second.template as<Item>() == nullptr ? nullptr : &found->second;
  }
  /// Every name that declares an Item, for suggestions.
  template <class Item>
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> list;
    for (const auto& [name, declaration] : declarations) {
      if (declaration.template as<Item>() != nullptr) list.push_back(name);
    }
    return list;
  }
  /// A path as this file writes it, relative to the spec's folder.
  std::string resolve(std::string_view path) const;
  /// The value that `--set name=` gives; none where there is no such override.
  std::optional<ir::Value> override_of(std::string_view name) const;
};

}  // namespace cnnc::sema
