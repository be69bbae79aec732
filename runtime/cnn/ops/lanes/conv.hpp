// Convolution of tiny maps in one group, sixteen images at a time: each weight times an element of sixteen images.
#pragma once

#include <algorithm>

#include "cnn/ops/conv.hpp"
#include "cnn/ops/lanes/dense.hpp"

namespace cnn::lanes {

/// A kernel that covers the whole map: the convolution is a dense layer on the flattened map.
constexpr bool covers_map(const ConvGeometry& g) {
  return g.kernel_height == g.in_height && g.kernel_width == g.in_width && g.pad_top == 0 && g.pad_left == 0 &&
         g.out_height == 1 && g.out_width == 1 && g.dilation_height == 1 && g.dilation_width == 1;
}
constexpr DenseGeometry as_dense(const ConvGeometry& g) {
  return {.in = g.depth(), .out = g.out_channels, .block = g.block};
}

/// The input with its padding, for the gradient of the weights.
constexpr int padded_height(const ConvGeometry& g) {
  return (g.out_height - 1) * g.stride_height + (g.kernel_height - 1) * g.dilation_height + 1;
}
constexpr int padded_width(const ConvGeometry& g) {
  return (g.out_width - 1) * g.stride_width + (g.kernel_width - 1) * g.dilation_width + 1;
}
constexpr bool is_padded(const ConvGeometry& g) {
  return g.pad_top != 0 || g.pad_left != 0 || padded_height(g) > g.in_height || padded_width(g) > g.in_width;
}

/// Partial sums of the gradients, each over some blocks, so that eight threads have work, as far as a megafloat goes.
constexpr int gradient_slots(const ConvGeometry& g) {
  return std::clamp((1 << 20) / std::max(g.out_channels * g.depth(), 1), 1, 8);
}

/// The most output channels whose gradients of weights are summed together.
inline constexpr int kGradientChannels = 4;

/// For conv_backward_params: a padded plane, kernels' sums in sixteen lanes for each thread; the partial sums.
constexpr ScratchSize conv_backward_params_scratch(const ConvGeometry& g, int batch) {
  if (covers_map(g)) return dense_backward_params_scratch(as_dense(g), batch);
  const int plane = is_padded(g) ? padded_height(g) * padded_width(g) * 16 : 0;
  const int partial = g.out_channels * (g.depth() + 1);
  return {.per_thread = static_cast<std::size_t>(plane + kGradientChannels * g.taps() * 16),
          .shared = static_cast<std::size_t>(std::min(gradient_slots(g), block_count(batch, 16)) * partial)};
}

/// output [N/16][out_channels][out_height][out_width][16] = weight [out, in, kh, kw] * input + bias.
void conv(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias, const ConvGeometry& geometry, int batch);
void conv(Blocked output, ConstBlocked input, ConstFloats weight, const ConvGeometry& geometry, int batch);

void conv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& geometry,
                         int batch);

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                          const ConvGeometry& geometry, int batch, const Scratch& scratch);
void conv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& geometry,
                          int batch, const Scratch& scratch);

}  // namespace cnn::lanes
