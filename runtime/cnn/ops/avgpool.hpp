// Average pooling.
#pragma once

#include "cnn/ops/loaded.hpp"
#include "cnn/ops/pool.hpp"

namespace cnn {

/// output = the mean of each window, of the elements in the input and, with count_include_pad, of the
/// padding's zeros; what hangs over beyond the padding never counts, as in PyTorch.
void avgpool(Blocked output, const Loaded& input, const PoolGeometry& geometry, int batch);

/// d_input = at each place the sum over its windows of d_output / the window's count.
void avgpool_backward_input(Blocked d_input, ConstBlocked d_output, const PoolGeometry& geometry, int batch);

}  // namespace cnn
