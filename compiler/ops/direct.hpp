// What direct convolutions need (runtime/cnn/ops/conv/direct.hpp).
#pragma once

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// The scratch forward; floats of prepared weights, and the scratch with those.
ir::ScratchSize direct_scratch(const ir::OpContext& context);
std::int64_t direct_prepared_floats(const ir::OpContext& context);
ir::ScratchSize direct_prepared_scratch(const ir::OpContext& context);

}  // namespace cnnc::ops
