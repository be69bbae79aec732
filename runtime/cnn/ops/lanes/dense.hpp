// Fully connected layers on lanes: small matrices, too small for a BLAS to be worth its packing.
#pragma once

#include "cnn/ops/dense.hpp"

namespace cnn::lanes {

/// Inputs whose gradients are summed up in one go: the columns of a register tile.
inline constexpr int kDenseColumns = 16;

/// For dense_backward_params: the inputs of `batch` images, turned over.
constexpr ScratchSize dense_backward_params_scratch(const DenseGeometry& g, int batch) {
  const int panels = (g.in + kDenseColumns - 1) / kDenseColumns;
  return {.per_thread = 0,
          .shared = static_cast<std::size_t>(panels) * kDenseColumns * static_cast<std::size_t>(block_count(batch, 16)) * 16};
}

/// output [N/16][out][16] = weight [out, in] * input [N/16][in][16] + bias [out].
void dense(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias, const DenseGeometry& geometry,
           int batch);
void dense(Blocked output, ConstBlocked input, ConstFloats weight, const DenseGeometry& geometry, int batch);

/// d_input = weight^T * d_output.
void dense_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const DenseGeometry& geometry,
                          int batch);

/// d_weight = d_output * input^T and d_bias = d_output, both summed over the batch.
void dense_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                           const DenseGeometry& geometry, int batch, const Scratch& scratch);
void dense_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const DenseGeometry& geometry,
                           int batch, const Scratch& scratch);

}  // namespace cnn::lanes
