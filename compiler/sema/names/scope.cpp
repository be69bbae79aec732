// Look-up of values by name, and the numbering of unnamed layers.
#include "sema/names/scope.hpp"

namespace cnnc::sema {

const Binding* Scope::find_here(std::string_view name) const {
  const auto found = bindings_.find(name);
  return found == bindings_.end() ? nullptr : &found->second;
}

const Binding* Scope::find(std::string_view name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer_) {
    if (const Binding* found = scope->find_here(name)) return found;
  }
  return nullptr;
}

void Scope::define(std::string_view name, Binding binding) {
  bindings_.insert_or_assign(std::string(name), std::move(binding));
}

std::vector<std::string_view> Scope::visible() const {
  std::vector<std::string_view> names;
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer_) {
    for (const auto& [name, binding] : scope->bindings_) names.push_back(name);
  }
  return names;
}

std::string PathScope::join(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

std::optional<Range> PathScope::take(const std::string& name, Range range) {
  const auto [place, fresh] = taken_.try_emplace(name, range);
  if (fresh) return std::nullopt;
  return place->second;
}

std::string PathScope::number(std::string_view type, Range range) {
  int& count = counts_[std::string(type)];
  for (;;) {
    std::string name = std::string(type) + std::to_string(++count);
    if (!take(name, range)) return name;
  }
}

std::string PathScope::number_added(std::string_view type, Range range,
                                    const std::function<bool(const std::string&)>& reserved) {
  for (int count = 1;; ++count) {
    std::string name = std::string(type) + std::to_string(count);
    if (!reserved(join(name)) && !take(name, range)) return name;
  }
}

}  // namespace cnnc::sema
