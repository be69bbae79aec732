// Rectified linear units: what is negative becomes 0.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output = max(input, 0), and NaN stays NaN; output may be the input.
void relu(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

/// d_input = d_output * (output > 0), from the output alone; d_input may be d_output.
void relu_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                         const MapGeometry& geometry, int batch);

}  // namespace cnn
