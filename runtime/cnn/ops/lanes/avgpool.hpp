// Average pooling on lanes.
#pragma once

#include "cnn/ops/pool.hpp"

namespace cnn::lanes {

/// As cnn::avgpool, from [N/16][C][in_height][in_width][16] to [N/16][C][out_height][out_width][16].
void avgpool(Blocked output, ConstBlocked input, const PoolGeometry& geometry, int batch);

/// d_input = at each place the sum over its windows of d_output / the window's count.
void avgpool_backward_input(Blocked d_input, ConstBlocked d_output, const PoolGeometry& geometry, int batch);

}  // namespace cnn::lanes
