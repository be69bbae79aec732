// The op cards, each made in the file of its name, and the registry that lists them.
#pragma once

#include "ir/op_def.hpp"

namespace cnnc::ops {

ir::OpDef adaptive_avgpool_card();
ir::OpDef add_card();
ir::OpDef avgpool_card();
ir::OpDef bn_card();
ir::OpDef concat_card();
ir::OpDef conv_card();
ir::OpDef dense_card();
ir::OpDef dropout_card();
ir::OpDef dwconv_card();
ir::OpDef flatten_card();
ir::OpDef gap_card();
ir::OpDef gelu_card();
ir::OpDef hardswish_card();
ir::OpDef identity_card();
ir::OpDef leaky_relu_card();
ir::OpDef lrn_card();
ir::OpDef maxpool_card();
ir::OpDef mul_card();
ir::OpDef pad_card();
ir::OpDef rbf_card();
ir::OpDef relu_card();
ir::OpDef relu6_card();
ir::OpDef sigmoid_card();
ir::OpDef silu_card();
ir::OpDef softmax_card();
ir::OpDef stochastic_depth_card();
ir::OpDef subsample_card();
ir::OpDef tanh_card();
ir::OpDef upsample_card();

/// Every card, in the order of the reference.
ir::OpRegistry registry();

}  // namespace cnnc::ops
