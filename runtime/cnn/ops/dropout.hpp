// Dropout (Srivastava et al. 2014), scaled in training so that inference does nothing.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct DropoutGeometry {
  int channels = 0, height = 1, width = 1;
  int block = 1;
  float rate = 0;  // what share becomes 0, in [0, 1]
  int stream = 0;  // tells the network's dropouts apart
};

/// output = input / (1 - rate) where random.hpp's uniform number of the element, in the batch's NCHW order,
/// is at least rate, else 0; output may be the input.
void dropout(Blocked output, ConstBlocked input, const DropoutGeometry& geometry, int batch,
             const RandomKey& random);

/// d_input from d_output by the same numbers, made again; d_input may be d_output.
void dropout_backward_input(Blocked d_input, ConstBlocked d_output, const DropoutGeometry& geometry,
                            int batch, const RandomKey& random);

}  // namespace cnn
