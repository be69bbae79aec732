// The explicit list of op cards.
#include "ops/cards.hpp"

namespace cnnc::ops {

ir::OpRegistry registry() {
  return ir::OpRegistry({
      conv_card(), dense_card(), bn_card(),
      relu_card(), tanh_card(), sigmoid_card(), softmax_card(),
      maxpool_card(), avgpool_card(), gap_card(),
      flatten_card(), dropout_card(), identity_card(),
      add_card(), concat_card(),
  });
}

}  // namespace cnnc::ops
