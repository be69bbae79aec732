// The registry of op cards.
#include "ir/op_def.hpp"

#include <algorithm>

#include "support/internal_error.hpp"

namespace cnnc::ir {

OpRegistry::OpRegistry(std::vector<OpDef> definitions) : definitions_(std::move(definitions)) {
  for (auto card = definitions_.begin(); card != definitions_.end(); ++card) {
    ensure(card->infer != nullptr, "ops", fmt::format("card '{}' infers no shape", card->name));
    ensure(card->geometry == nullptr || !card->geometry_type.empty(), "ops",
           fmt::format("card '{}' has a geometry without a type", card->name));
    const bool once = std::none_of(definitions_.begin(), card, [&](const OpDef& other) { return other.name == card->name; });
    ensure(once, "ops", fmt::format("two cards are called '{}'", card->name));
  }
}

const OpDef* OpRegistry::find(std::string_view name) const {
  const auto card = std::ranges::find(definitions_, name, &OpDef::name);
  return card == definitions_.end() ? nullptr : &*card;
}

}  // namespace cnnc::ir
