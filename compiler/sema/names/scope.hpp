// What names stand for: values bound by `let`, parameters and loops, and the paths that layers get.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/value.hpp"
#include "support/source.hpp"

namespace cnnc::sema {

/// A name's value and where it was bound. No value: its definition had a mistake, and who uses it stays
/// silent.
struct Binding {
  std::optional<ir::Value> value;
  Range range;
};

/// Values by name; what is not found here is looked up in the scope around it.
class Scope {
 public:
  explicit Scope(const Scope* outer = nullptr) : outer_(outer) {}

  const Binding* find(std::string_view name) const;
  const Binding* find_here(std::string_view name) const;
  void define(std::string_view name, Binding binding);
  /// Every name that can be seen from here.
  std::vector<std::string_view> visible() const;

 private:
  const Scope* outer_;
  std::map<std::string, Binding, std::less<>> bindings_;
};

/// A named scope of layers: "features.layer2[0]". Gives unnamed layers their number by type, and knows which
/// names are taken. Paths are relative to the model; the model itself has the empty path.
class PathScope {
 public:
  PathScope(std::string path, const PathScope* outer) : path_(std::move(path)), outer_(outer) {}

  const std::string& path() const { return path_; }
  const PathScope* outer() const { return outer_; }
  /// The path of `name` in this scope.
  std::string join(std::string_view name) const;
  /// Takes a written name; where it was taken before, says where.
  std::optional<Range> take(const std::string& name, Range range);
  /// The next free of conv1, conv2, ... for `type`.
  std::string number(std::string_view type, Range range);
  /// The same for what edits add: a count of its own, which leaves out the paths that `reserved` holds for others.
  std::string number_added(std::string_view type, Range range, const std::function<bool(const std::string&)>& reserved);

 private:
  std::string path_;
  const PathScope* outer_;
  std::map<std::string, Range, std::less<>> taken_;
  std::map<std::string, int, std::less<>> counts_;
};

}  // namespace cnnc::sema
