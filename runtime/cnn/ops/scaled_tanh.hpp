// The hyperbolic tangent with a scale and a slope, as LeNet-5 of 1998 has it.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct ScaledTanhGeometry {
  int channels = 0, height = 1, width = 1;
  int block = 1;
  float scale = 1;
  float slope = 1;
};

/// output = scale * tanh(slope * input); output may be the input.
void scaled_tanh(Blocked output, ConstBlocked input, const ScaledTanhGeometry& geometry, int batch);

/// d_input = d_output * slope * (scale - output^2 / scale), from the output alone; d_input may be d_output.
void scaled_tanh_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                                const ScaledTanhGeometry& geometry, int batch);

}  // namespace cnn
