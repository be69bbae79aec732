// The explicit list of op cards.
#include "ops/cards.hpp"

namespace cnnc::ops {

ir::OpRegistry registry() {
  return ir::OpRegistry({
      conv_card(), dwconv_card(), dense_card(), bn_card(), lrn_card(),
      relu_card(), relu6_card(), leaky_relu_card(), tanh_card(), sigmoid_card(), silu_card(), hardswish_card(),
      gelu_card(), softmax_card(),
      maxpool_card(), avgpool_card(), adaptive_avgpool_card(), gap_card(), subsample_card(),
      flatten_card(), pad_card(), upsample_card(), dropout_card(), stochastic_depth_card(), identity_card(),
      add_card(), concat_card(), mul_card(), rbf_card(),
  });
}

}  // namespace cnnc::ops
