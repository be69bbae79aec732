// The ways to compute a convolution, and which one suits a layer: the cost model, and the scratch memory of each.
#pragma once

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// The calls of cnn::conv, whose kernels multiply packed columns: they take every convolution.
ir::Calls packed_calls();

/// The forward call of such kernels in programs of either precision.
const ir::CallDef& packed_forward(ir::Precision precision);

/// Chooses between cnn::conv's calls and those of cnn::winograd for a pass of a convolution.
ir::Decision decide_convolution(const ir::OpContext& context, ir::Pass pass, ir::Precision precision);

/// Scratch of all three passes of cnn::conv, for kernels that call them.
ir::ScratchSize packed_scratch(const ir::OpContext& context);

/// Floats that cnn::conv's tiles need for products of `rows` by `depth` weights, prepared, with the columns of a 1x1 convolution.
ir::ScratchSize pointwise_scratch(const ir::OpContext& context, std::int64_t rows, std::int64_t depth);

}  // namespace cnnc::ops
