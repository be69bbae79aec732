// Batch normalisation (Ioffe & Szegedy 2015): with the batch's statistics in training, with running ones
// otherwise.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct BnGeometry {
  int channels = 0, height = 1, width = 1;
  int block = 1;
  float epsilon = 1e-5f;
  float decay = 0.9f;  // what a running statistic keeps at each step
};

/// output = (input - mean) / std * weight + bias with each channel's statistics over the batch, the biased
/// variance plus epsilon under the root; saved [2 * channels] gets mean and 1 / std, and running = decay *
/// running + (1 - decay) * batch, with the unbiased variance, as PyTorch does. output may be the input if no
/// backward follows.
void bn(Blocked output, Floats saved, ConstBlocked input, ConstFloats weight, ConstFloats bias,
        Floats running_mean, Floats running_var, const BnGeometry& geometry, int batch);

/// d_bias = sum of d_output, d_weight = sum of d_output * (input - mean) / std, for each channel.
void bn_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                        ConstFloats saved, const BnGeometry& geometry, int batch);

/// d_input = weight / std * (d_output - d_bias / M - (input - mean) / std * d_weight / M) with M the elements
/// of a channel, from what bn_backward_params wrote before; d_input may be d_output.
void bn_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input, ConstFloats saved,
                       ConstFloats weight, ConstFloats bias, ConstFloats d_weight, ConstFloats d_bias,
                       const BnGeometry& geometry, int batch);

/// output = (input - running_mean) / sqrt(running_var + epsilon) * weight + bias; output may be the input.
void bn_inference(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
                  ConstFloats running_mean, ConstFloats running_var, const BnGeometry& geometry, int batch);

/// d_input = d_output * weight / sqrt(running_var + epsilon); d_input may be d_output.
void bn_inference_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, ConstFloats bias,
                                 ConstFloats running_mean, ConstFloats running_var,
                                 const BnGeometry& geometry, int batch);

}  // namespace cnn
