// Max pooling on lanes.
#pragma once

#include "cnn/ops/maxpool.hpp"

namespace cnn::lanes {

/// As cnn::maxpool, from [N/16][C][in_height][in_width][16] to [N/16][C][out_height][out_width][16]; saved has the
/// output's layout.
void maxpool(Blocked output, std::span<std::uint8_t> saved, ConstBlocked input, const PoolGeometry& geometry, int batch);

/// For inference: keeps nothing.
void maxpool(Blocked output, ConstBlocked input, const PoolGeometry& geometry, int batch);

/// d_input = at each place the sum of d_output over the windows it won.
void maxpool_backward_input(Blocked d_input, ConstBlocked d_output, std::span<const std::uint8_t> saved,
                            const PoolGeometry& geometry, int batch);

}  // namespace cnn::lanes
