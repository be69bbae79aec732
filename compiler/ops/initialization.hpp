// What conv and dense have in common: their weight and bias, and the arguments that say how these begin.
#pragma once

#include <vector>

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// Appends the arguments `bias`, `act`, `weights` and `bias_init` to a card.
void add_weight_arguments(ir::OpDef& card);

/// Adds "weight" of `extents` and, unless bias=false, "bias" of extents[0]. Fans as in PyTorch's torch.nn.init:
/// torch: U(-1/sqrt(fan_in), 1/sqrt(fan_in)) (kaiming_uniform_ with a = sqrt(5));
/// he: variance 2 / fan_in (He et al. 2015, eq. 10); glorot_uniform: variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010, eq. 16).
void add_weights(ir::Inferred& inferred, const ir::ArgumentValues& arguments, std::vector<std::int64_t> extents,
                 std::int64_t fan_in, std::int64_t fan_out);

}  // namespace cnnc::ops
