// Average pooling to a given size, whatever the input's.
#pragma once

#include "cnn/ops/loaded.hpp"

namespace cnn {

struct AdaptivePoolGeometry {
  int channels = 0;
  int in_height = 0, in_width = 0;
  int out_height = 0, out_width = 0;
  int block = 1;
};

/// output = the mean of each bin: row i of the output is that of rows floor(i * in / out) up to ceil((i + 1)
/// * in / out) of the input, columns likewise, as PyTorch's AdaptiveAvgPool2d has it.
void adaptive_avgpool(Blocked output, const Loaded& input, const AdaptivePoolGeometry& geometry, int batch);

/// d_input = at each place the sum over its bins of d_output / the bin's size.
void adaptive_avgpool_backward_input(Blocked d_input, ConstBlocked d_output,
                                     const AdaptivePoolGeometry& geometry, int batch);

}  // namespace cnn
