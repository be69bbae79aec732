// Larger maps by repeating pixels.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct UpsampleGeometry {
  int channels = 0;
  int in_height = 0, in_width = 0;
  int vertical = 1, horizontal = 1;  // pixels of the output for one of the input
  int block = 1;
};

/// output[y][x] = input[y / vertical][x / horizontal]: the nearest pixel. Maps of in_height x in_width
/// become maps of (in_height * vertical) x (in_width * horizontal).
void upsample(Blocked output, ConstBlocked input, const UpsampleGeometry& geometry, int batch);

/// d_input = the sum of d_output over the pixels that repeat it.
void upsample_backward_input(Blocked d_input, ConstBlocked d_output, const UpsampleGeometry& geometry,
                             int batch);

}  // namespace cnn
