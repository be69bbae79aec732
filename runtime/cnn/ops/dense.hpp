// Fully connected layers.
#pragma once

#include <algorithm>

#include "cnn/core/types.hpp"

namespace cnn {

struct DenseGeometry {
  int in = 0;
  int out = 0;
  int block = 1;
};

/// Up to so many images dense layers have kernels of their own, for which each weight comes out of memory once; those of more are a BLAS's.
inline constexpr int kFewImages = 128;
/// Columns and rows of weights that a task of the inputs' gradients copies.
inline constexpr int kDenseColumns = 240, kDenseRows = 16;

/// For a few images: their inputs or gradients packed for all threads, and a task's weights and sums for each.
constexpr ScratchSize dense_scratch(const DenseGeometry& g, int batch) {
  const auto images = static_cast<std::size_t>((std::min(batch, kFewImages) + 15) / 16 * 16);
  const auto features = static_cast<std::size_t>(std::max(g.in, (g.out + 5) / 6 * 6));
  return g.block == 1 ? ScratchSize{.per_thread = kDenseColumns * (kDenseRows + images), .shared = (images + 8) * features} : ScratchSize{};
}

/// output [N/NB][out][NB] = weight [out, in] * input [N/NB][in][NB] + bias [out].
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
