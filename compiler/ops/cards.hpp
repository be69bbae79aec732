// The op cards, each made in the file of its name, and the registry that lists them.
#pragma once

#include "ir/op_def.hpp"

namespace cnnc::ops {

ir::OpDef add_card();
ir::OpDef avgpool_card();
ir::OpDef bn_card();
ir::OpDef concat_card();
ir::OpDef conv_card();
ir::OpDef dense_card();
ir::OpDef dropout_card();
ir::OpDef flatten_card();
ir::OpDef gap_card();
ir::OpDef identity_card();
ir::OpDef maxpool_card();
ir::OpDef relu_card();
ir::OpDef sigmoid_card();
ir::OpDef softmax_card();
ir::OpDef tanh_card();

/// Every card, in the order of the reference.
ir::OpRegistry registry();

}  // namespace cnnc::ops
