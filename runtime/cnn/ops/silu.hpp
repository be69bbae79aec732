// Sigmoid-weighted linear units, also called swish.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output = input / (1 + e^-input); output may be the input if no backward follows.
void silu(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

/// d_input = d_output * s * (1 + input * (1 - s)) with s = 1 / (1 + e^-input); d_input may be d_output.
void silu_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                         const MapGeometry& geometry, int batch);

}  // namespace cnn
