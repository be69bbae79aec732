// Naive kernels in double on NCHW: what the definitions say, and nothing clever.
#pragma once

#include "cnn/ops/bn.hpp"
#include "cnn/ops/conv.hpp"
#include "cnn/ops/pool.hpp"
#include "maps.hpp"

namespace cnn::tests::reference {

/// A geometry with the output's size filled in; false if there is no output.
bool complete(ConvGeometry& geometry);
/// The same for a pool, as PyTorch counts: with `ceil`, windows may hang over but must begin inside or in the
/// left padding.
bool complete(PoolGeometry& geometry, bool ceil);

Doubles conv(const Doubles& input, const Doubles& weight, const Doubles& bias, const ConvGeometry& geometry,
             int batch);
Doubles conv_backward_input(const Doubles& d_output, const Doubles& weight, const ConvGeometry& geometry,
                            int batch);
Doubles conv_backward_weight(const Doubles& d_output, const Doubles& input, const ConvGeometry& geometry,
                             int batch);

/// Sums over the batch and the pixels of each channel: the gradient of a bias.
Doubles channel_sums(const Doubles& values, int channels, int pixels, int batch);

/// output [batch][out] = weight [out][in] * input + bias.
Doubles dense(const Doubles& input, const Doubles& weight, const Doubles& bias, int in, int out, int batch);

Doubles maxpool(const Doubles& input, const PoolGeometry& geometry, int batch);
Doubles avgpool(const Doubles& input, const PoolGeometry& geometry, int batch);

/// Batch normalisation with the batch's own statistics.
struct BatchStatistics {
  Doubles mean, biased_variance, unbiased_variance;
};
BatchStatistics batch_statistics(const Doubles& input, const BnGeometry& geometry, int batch);
Doubles normalise(const Doubles& input, const Doubles& mean, const Doubles& variance, const Doubles& weight,
                  const Doubles& bias, const BnGeometry& geometry, int batch);
Doubles bn(const Doubles& input, const Doubles& weight, const Doubles& bias, const BnGeometry& geometry,
           int batch);

/// Over the channels at each pixel.
Doubles softmax(const Doubles& input, const MapGeometry& geometry, int batch);

}  // namespace cnn::tests::reference
