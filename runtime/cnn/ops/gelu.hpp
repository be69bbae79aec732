// Gaussian error linear units (Hendrycks & Gimpel 2016), by the error function as PyTorch's default.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output = input * P with P = (1 + erf(input / sqrt 2)) / 2, the normal distribution up to input; output may
/// be the input if no backward follows.
void gelu(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

/// d_input = d_output * (P + input * e^(-input^2 / 2) / sqrt(2 pi)); d_input may be d_output.
void gelu_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                         const MapGeometry& geometry, int batch);

}  // namespace cnn
