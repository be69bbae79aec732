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
      .onnx =
          [](const ir::OpContext& context) -> ir::OnnxForm {
            ir::OnnxNode joined{"Concat", {}, "output", {{"axis", std::int64_t{1}}}};
            for (std::size_t i = 0; i < context.inputs.size(); ++i) joined.inputs.push_back(fmt::format("input{}", i));
            return {.nodes = {std::move(joined)}};
          },
  };
}

}  // namespace cnnc::ops
