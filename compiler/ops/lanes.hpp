// What the cards of kernels on lanes have in common: sixteen images innermost.
#pragma once

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// Weights of a layer that every block of sixteen images reads: 256 KiB stay in a second-level cache.
inline constexpr std::int64_t kMostLanesWeights = 1 << 16;

/// The card with the calls of kernels on lanes, which take the same operands but no scratch memory.
ir::OpDef lanes_card(ir::OpDef card, std::string_view forward, std::string_view backward_input,
                     std::string_view backward_params = {});

/// The scratch of a matrix's gradient: `in` features of all images, turned over in panels of 16.
ir::ScratchSize turned_over(std::int64_t in, const ir::OpContext& context);

}  // namespace cnnc::ops
