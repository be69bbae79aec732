// Dense layers for a few images: their time is that of their weights' way out of memory, so each weight comes from there once and in
// long stretches. Images lie one after the other (NB = 1). For dense.cpp only.
#pragma once

#include "cnn/ops/dense.hpp"

namespace cnn::few_images {

/// output = weight * input + bias; `bias` may be null.
void forward(Blocked output, ConstBlocked input, ConstFloats weight, const float* bias, const DenseGeometry& geometry,
             int batch, const Scratch& scratch);

void backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const DenseGeometry& geometry, int batch,
                    const Scratch& scratch);

void backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const DenseGeometry& geometry, int batch,
                     const Scratch& scratch);

}  // namespace cnn::few_images
