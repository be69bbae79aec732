// The hyperbolic tangent.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output = tanh(input), to 2.5 ulp; output may be the input.
void tanh(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

/// d_input = d_output * (1 - output^2), from the output alone; d_input may be d_output.
void tanh_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                         const MapGeometry& geometry, int batch);

}  // namespace cnn
