// The registry of op cards.
#include "ir/op_def.hpp"

#include <algorithm>

#include "support/internal_error.hpp"

namespace cnnc::ir {

const OpDef& kernel_card(const OpDef& card, const OpContext& context) {
  const OpDef* kernel = card.kernel != nullptr ? card.kernel(context) : nullptr;
  return kernel != nullptr ? *kernel : card;
}

// Layers that are only wiring need no call.
bool has_kernels(const OpDef& card) {
  const bool wiring = card.traits.placement || (card.traits.identity_in_inference && !card.traits.random);
  return wiring || !card.training.forward.function.empty();
}

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
