// Look-up in one file's scope.
#include "sema/file_scope.hpp"

#include <filesystem>

#include "sema/values/evaluate.hpp"

namespace cnnc::sema {

std::string_view kind_of(const Declaration& declaration) {
  static constexpr std::string_view kKinds[] = {"a value", "a block", "a model", "data", "a recipe"};
  return kKinds[declaration.item.index()];
}

std::string FileScope::resolve(std::string_view path) const {
  if (folder.empty() || std::filesystem::path(path).is_absolute()) return std::string(path);
  return (std::filesystem::path(folder) / path).lexically_normal().generic_string();
}

std::optional<ir::Value> FileScope::override_of(std::string_view name) const {
  std::optional<ir::Value> value;
  for (const auto& [key, text] : overrides) {
    if (key == name) value = parse_literal(text);
  }
  const auto* word = value ? value->as<ir::Word>() : nullptr;
  // A word on the command line may name a block of the spec.
  const Binding* binding = word == nullptr ? nullptr : values.find(word->text);
  const bool names_block = binding != nullptr && binding->value && binding->value->as<ir::Word>() != nullptr;
  return names_block ? binding->value : value;
}

}  // namespace cnnc::sema
