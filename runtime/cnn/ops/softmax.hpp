// Softmax over the channels: scores to probabilities that add up to 1.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output[c] = e^input[c] / sum over channels of e^input, at each pixel; output may be the input.
void softmax(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

/// d_input = output * (d_output - sum over channels of output * d_output); d_input may be d_output.
void softmax_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                            const MapGeometry& geometry, int batch);

}  // namespace cnn
