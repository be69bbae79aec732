// The edits of `model B extends A { … }`, by the paths that they mean.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sema/file_scope.hpp"
#include "syntax/ast.hpp"

namespace cnnc::sema {

/// The edits of one `extends` and the values that its bodies and settings mean.
struct EditLayer {
  const std::vector<syntax::Edit>* edits = nullptr;
  const FileScope* file = nullptr;
  const Scope* values = nullptr;
  /// Which edits reach a path, in the order in which they were written.
  std::map<std::string, std::vector<const syntax::Edit*>, std::less<>> by_path = {};
  /// Every path of the model before these edits: unnamed layers that they add get other numbers, so that none shifts.
  std::set<std::string, std::less<>> paths_before = {};
};

struct EditScope;

/// An edit that reaches a path, with whose it is.
struct FoundEdit {
  const syntax::Edit* edit;
  const EditLayer* layer;
  const EditScope* scope;
  std::size_t depth;  // how many layers of edits stand below what it adds
};

/// The edits that reach one part of an expansion. Paths in the tree begin with `base`, which is `part` in the edited model.
struct EditScope {
  const std::vector<EditLayer>* layers = nullptr;
  std::string base;
  std::string part;
  const EditScope* outer = nullptr;  // edits of a model that uses this one as a layer
  std::size_t depth = 0;  // edits of this layer and later ones reach what stands here

  std::string path_in_model(std::string_view path) const;
  std::vector<FoundEdit> at(std::string_view path) const;
  /// Whether a layer that an edit adds may not be called `path`.
  bool reserved(std::string_view path) const;
};

}  // namespace cnnc::sema
