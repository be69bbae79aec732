// Rectified linear units that let a share of what is negative through.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct LeakyReluGeometry {
  int channels = 0, height = 1, width = 1;
  int block = 1;
  float slope = 0.01f;  // in [0, 1]: an element and its output have the same sign
};

/// output = input where that is positive, else slope * input; output may be the input.
void leaky_relu(Blocked output, ConstBlocked input, const LeakyReluGeometry& geometry, int batch);

/// d_input = d_output * (output > 0 ? 1 : slope), from the output alone; d_input may be d_output.
void leaky_relu_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                               const LeakyReluGeometry& geometry, int batch);

}  // namespace cnn
