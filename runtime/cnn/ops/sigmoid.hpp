// The logistic function.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output = 1 / (1 + e^-input); output may be the input.
void sigmoid(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

/// d_input = d_output * output * (1 - output), from the output alone; d_input may be d_output.
void sigmoid_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                            const MapGeometry& geometry, int batch);

}  // namespace cnn
