// What convolutions by tiles of bf16 numbers need (runtime/cnn/ops/conv/bf16x2.hpp): fast programs have room for them, whatever processor they run on.
#pragma once

#include <span>

#include "ir/op_def.hpp"

namespace cnnc::ops {

/// The scratch of its passes; floats of prepared weights, and the scratch with those.
ir::ScratchSize tiles_forward_scratch(const ir::OpContext& context);
ir::ScratchSize tiles_backward_input_scratch(const ir::OpContext& context);
ir::ScratchSize tiles_backward_params_scratch(const ir::OpContext& context);
std::int64_t tiles_prepared_floats(const ir::OpContext& context);
ir::ScratchSize tiles_prepared_scratch(const ir::OpContext& context);

/// What 1x1 convolutions of one map need: all of them forward, the same with prepared weights, and the gradient of the map.
struct SiblingsScratch {
  ir::ScratchSize forward, prepared, backward_input;
};
SiblingsScratch tiles_of_siblings(const ir::OpContext& context, std::span<const std::int64_t> out_channels);

/// As much as either of two needs.
ir::ScratchSize larger(const ir::ScratchSize& one, const ir::ScratchSize& other);

}  // namespace cnnc::ops
