// The piecewise quadratic stand-in for silu of Howard et al. 2019 (MobileNetV3).
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output = input * min(max(input + 3, 0), 6) / 6; output may be the input if no backward follows.
void hardswish(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

/// d_input = d_output * (0 below -3, 1 above 3, (2 * input + 3) / 6 between); d_input may be d_output.
void hardswish_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                              const MapGeometry& geometry, int batch);

}  // namespace cnn
