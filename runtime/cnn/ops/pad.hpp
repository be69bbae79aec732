// Zeros around maps.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct PadGeometry {
  int channels = 0;
  int in_height = 0, in_width = 0;
  int out_height = 0, out_width = 0;
  int pad_top = 0, pad_left = 0;  // bottom and right follow from the output's size
  int block = 1;
};

/// output = the input, with zeros around each map.
void pad(Blocked output, ConstBlocked input, const PadGeometry& geometry, int batch);

/// d_input = d_output without what lies around it.
void pad_backward_input(Blocked d_input, ConstBlocked d_output, const PadGeometry& geometry, int batch);

}  // namespace cnn
