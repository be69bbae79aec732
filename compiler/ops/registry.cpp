// The explicit list of op cards.
#include <algorithm>

#include "ops/cards.hpp"

namespace cnnc::ops {

namespace {

// Their cards stand, their kernels do not yet: without calls no program is generated of them.
constexpr std::string_view kWithoutKernels[] = {
    "lrn", "adaptive_avgpool", "subsample", "pad",
    "stochastic_depth", "mul", "rbf"};

std::vector<ir::OpDef> without_missing_calls(std::vector<ir::OpDef> cards) {
  for (ir::OpDef& card : cards) {
    if (std::ranges::find(kWithoutKernels, card.name) != std::end(kWithoutKernels)) card.training = {};
  }
  return cards;
}

}  // namespace

ir::OpRegistry registry() {
  return ir::OpRegistry(without_missing_calls({
      conv_card(), dwconv_card(), dense_card(), bn_card(), lrn_card(),
      relu_card(), relu6_card(), leaky_relu_card(), tanh_card(), sigmoid_card(), silu_card(), hardswish_card(),
      gelu_card(), softmax_card(),
      maxpool_card(), avgpool_card(), adaptive_avgpool_card(), gap_card(), subsample_card(),
      flatten_card(), pad_card(), dropout_card(), stochastic_depth_card(), identity_card(),
      add_card(), concat_card(), mul_card(), rbf_card(),
  }));
}

}  // namespace cnnc::ops
