// Batch normalisation (Ioffe & Szegedy 2015): with the batch's statistics in training, with running ones
// otherwise.
#pragma once

#include "cnn/ops/loaded.hpp"

namespace cnn {

struct BnGeometry {
  int channels = 0, height = 1, width = 1;
  int block = 1;
  float epsilon = 1e-5f;
  float decay = 0.9f;  // what a running statistic keeps at each step
};

/// The parts of what bn keeps for each channel, one after the other: with scale = weight / std and shift = bias - mean *
/// scale its output is input * scale + shift.
inline constexpr int kBnScale = 0, kBnShift = 1, kBnMean = 2, kBnInverse = 3, kBnSaved = 4;

/// output = activation((input - mean) / std * weight + bias) with each channel's statistics over the batch, the biased
/// variance plus epsilon under the root; saved [4][channels] gets scale, shift, mean and 1 / std, and running = decay *
/// running + (1 - decay) * batch, with the unbiased variance, as PyTorch does. output may be the input if no
/// backward follows.
void bn(Blocked output, const ChannelTable& saved, ConstBlocked input, ConstFloats weight, ConstFloats bias,
        Floats running_mean, Floats running_var, Activation activation, const BnGeometry& geometry, int batch);

/// All of that but the output, which who reads it makes as it is loaded.
void bn_statistics(const ChannelTable& saved, ConstBlocked input, ConstFloats weight, ConstFloats bias, Floats running_mean,
                   Floats running_var, const BnGeometry& geometry, int batch);

/// The gradients through bn and its activation, which lets pass where input * scale + shift is inside its bounds:
/// d_bias = sum of d, d_weight = sum of d * (input - mean) / std for each channel, and
/// d_input = weight / std * (d - d_bias / M - (input - mean) / std * d_weight / M) with M the elements of a channel (Ioffe &
/// Szegedy 2015, section 3). d_input may be d_output.
void bn_backward(const Result& d_input, Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                 const ConstChannelTable& saved, Activation activation, const BnGeometry& geometry, int batch);

/// The parameters' alone.
void bn_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input, const ConstChannelTable& saved,
                        Activation activation, const BnGeometry& geometry, int batch);

/// The first half of `saved`, scale and shift, from running statistics.
void bn_affine(const ChannelTable& saved, ConstFloats weight, ConstFloats bias, ConstFloats running_mean, ConstFloats running_var,
               const BnGeometry& geometry);

/// output = activation((input - running_mean) / sqrt(running_var + epsilon) * weight + bias); output may be the input.
void bn_inference(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias, ConstFloats running_mean,
                  ConstFloats running_var, Activation activation, const BnGeometry& geometry, int batch);

/// d_input = d_output * weight / sqrt(running_var + epsilon); d_input may be d_output.
void bn_inference_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, ConstFloats bias,
                                 ConstFloats running_mean, ConstFloats running_var,
                                 const BnGeometry& geometry, int batch);

}  // namespace cnn
