// The card of `concat`.
#include "ops/cards.hpp"
#include "ops/map.hpp"
#include "support/messages.hpp"

namespace cnnc::ops {

namespace {

ir::Inference infer(const ir::OpContext& context) {
  ir::Shape joined = context.inputs[0];
  for (std::size_t arm = 1; arm < context.inputs.size(); ++arm) {
    const ir::Shape& shape = context.inputs[arm];
    if (shape.height != joined.height || shape.width != joined.width || shape.flat != joined.flat) {
      ir::Mistake found = ir::mistake(messages::kBranchesDisagree, "", "concat", to_text(context.inputs[0]), to_text(shape));
      found.input = static_cast<int>(arm);
      found.help = "branches of 'concat' may differ in channels only";
      return found;
    }
    joined.channels += shape.channels;
  }
  return ir::Inferred{.output = joined};
}

}  // namespace

ir::OpDef concat_card() {
  return {
      .name = "concat",
      .summary = "Its branches one after the other along the channels; height and width are the same.",
      .arguments = {},
      .traits = {.merge = true, .placement = true},
      .infer = infer,
      .training = {},
  };
}

}  // namespace cnnc::ops
