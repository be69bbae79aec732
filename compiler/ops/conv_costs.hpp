// A static cost model of the ways to compute a convolution, in cycles of one thread: the same on every machine, so that a spec always
// gives the same program.
#pragma once

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// By packed columns; by Winograd's tiles with `inputs` x `inputs` inputs; forward by direct tiles.
double packed_cost(const ir::OpContext& context, ir::Pass pass);
double winograd_cost(const ir::OpContext& context, ir::Pass pass, std::int64_t inputs);
double direct_cost(const ir::OpContext& context);

}  // namespace cnnc::ops
