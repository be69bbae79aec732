// Rectified linear units with a ceiling of 6.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output = min(max(input, 0), 6), and NaN stays NaN; output may be the input.
void relu6(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

/// d_input = d_output where 0 < output < 6, else 0, from the output alone; d_input may be d_output.
void relu6_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                          const MapGeometry& geometry, int batch);

}  // namespace cnn
