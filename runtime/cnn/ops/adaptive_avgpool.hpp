// Average pooling into a given number of bins, whatever the input's size.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct AdaptivePoolGeometry {
  int channels = 0;
  int in_height = 1, in_width = 1;
  int out_height = 1, out_width = 1;
  int block = 1;
};

/// output = the mean of each bin; bin i of n along an axis of s elements is [floor(i s / n), ceil((i + 1) s /
/// n)), as in PyTorch: bins may overlap, and repeat elements where there are more of them than elements.
void adaptive_avgpool(Blocked output, ConstBlocked input, const AdaptivePoolGeometry& geometry, int batch);

/// d_input = at each place the sum over its bins of d_output / the bin's count.
void adaptive_avgpool_backward_input(Blocked d_input, ConstBlocked d_output,
                                     const AdaptivePoolGeometry& geometry, int batch);

}  // namespace cnn
