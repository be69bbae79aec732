// Stochastic depth (Huang et al. 2016), image by image, scaled in training so that inference does nothing.
#pragma once

#include "cnn/ops/dropout.hpp"

namespace cnn {

/// As dropout's, with a share of images for `rate`.
using StochasticDepthGeometry = DropoutGeometry;

/// output = input / (1 - rate) for the images whose number, random.hpp's uniform of the image's place in the
/// batch, is at least rate, and zeros for the others; output may be the input.
void stochastic_depth(Blocked output, ConstBlocked input, const StochasticDepthGeometry& geometry, int batch,
                      const RandomKey& random);

/// d_input from d_output by the same numbers, made again; d_input may be d_output.
void stochastic_depth_backward_input(Blocked d_input, ConstBlocked d_output,
                                     const StochasticDepthGeometry& geometry, int batch,
                                     const RandomKey& random);

}  // namespace cnn
