// The subsampling layers of LeNet-5 as published (LeCun et al. 1998, section II.B).
#pragma once

#include "cnn/ops/pool.hpp"

namespace cnn {

/// output = weight * the mean of each window + bias, weight and bias [channels]; windows lie side by side,
/// with no padding.
void subsample(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
               const PoolGeometry& geometry, int batch);

/// d_input = d_output * weight / the window's size; 0 where no window is.
void subsample_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, ConstFloats bias,
                              const PoolGeometry& geometry, int batch);

/// d_weight = sum of d_output * the window's mean, d_bias = sum of d_output, for each channel.
void subsample_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                               const PoolGeometry& geometry, int batch);

}  // namespace cnn
