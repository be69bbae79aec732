// Cards of kernels on lanes, from those of maps.
#include "ops/lanes.hpp"


#include "ops/convolution.hpp"

namespace cnnc::ops {

ir::OpDef lanes_card(ir::OpDef card, std::string_view forward, std::string_view backward_input,
                     std::string_view backward_params) {
  const auto call = [](ir::CallDef& definition, std::string_view function) {
    definition.function = function;
    std::erase(definition.operands, ir::Role::kScratch);
    definition.scratch = {};
    take_stored(definition);
  };
  call(card.training.forward, forward);
  if (card.training.backward_input) call(*card.training.backward_input, backward_input);
  if (card.training.backward_params) call(*card.training.backward_params, backward_params);
  card.decide = nullptr;
  card.kernel = nullptr;
  card.lanes = nullptr;
  return card;
}

ir::ScratchSize turned_over(std::int64_t in, const ir::OpContext& context) {
  const auto up = [](std::int64_t count) { return (count + 15) / 16 * 16; };
  return {.per_thread = 0, .shared = up(in) * up(context.batch)};
}

}  // namespace cnnc::ops
