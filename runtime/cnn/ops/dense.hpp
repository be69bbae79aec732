// Fully connected layers.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct DenseGeometry {
  int in = 0;
  int out = 0;
  int block = 1;
};

/// output [N/NB][out][NB] = weight [out, in] * input [N/NB][in][NB] + bias [out]. Dense layers need no
/// scratch so far.
void dense(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
           const DenseGeometry& geometry, int batch, const Scratch& scratch);
void dense(Blocked output, ConstBlocked input, ConstFloats weight, const DenseGeometry& geometry, int batch,
           const Scratch& scratch);

/// d_input = weight^T * d_output.
void dense_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                          const DenseGeometry& geometry, int batch, const Scratch& scratch);

/// d_weight = d_output * input^T and d_bias = d_output, both summed over the batch.
void dense_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                           const DenseGeometry& geometry, int batch, const Scratch& scratch);
void dense_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input,
                           const DenseGeometry& geometry, int batch, const Scratch& scratch);

}  // namespace cnn
