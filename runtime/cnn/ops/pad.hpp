// Zeros around maps.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct PadGeometry {
  int channels = 0;
  int in_height = 1, in_width = 1;
  int out_height = 1, out_width = 1;
  int top = 0,
      left = 0;  // bottom and right follow from the output's size; below 0 rows and columns are cut off
  int block = 1;
};

/// output = input, from row `top` and column `left` on, and zeros elsewhere.
void pad(Blocked output, ConstBlocked input, const PadGeometry& geometry, int batch);

/// d_input = what of d_output lies over the input.
void pad_backward_input(Blocked d_input, ConstBlocked d_output, const PadGeometry& geometry, int batch);

}  // namespace cnn
