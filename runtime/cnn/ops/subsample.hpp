// The subsampling of LeNet-5 (LeCun et al. 1998, section II.B): averages with a coefficient and a bias for
// each map.
#pragma once

#include "cnn/ops/pool.hpp"

namespace cnn {

/// output = coefficient [C] * the mean of each window, as avgpool has it, + bias [C].
void subsample(Blocked output, ConstBlocked input, ConstFloats coefficient, ConstFloats bias,
               const PoolGeometry& geometry, int batch);

void subsample_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats coefficient,
                              const PoolGeometry& geometry, int batch);

/// d_coefficient = the sum of d_output * the windows' means over the batch, d_bias that of d_output, in
/// double.
void subsample_backward_params(Floats d_coefficient, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                               const PoolGeometry& geometry, int batch);

}  // namespace cnn
