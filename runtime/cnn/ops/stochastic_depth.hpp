// Stochastic depth (Huang et al. 2016): in training an image now and then goes without a branch.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct StochasticDepthGeometry {
  int channels = 0, height = 1, width = 1;
  int block = 1;
  float rate = 0;  // what share of the images becomes 0, in [0, 1]
  int stream = 0;  // tells the network's random layers apart
};

/// output = input / (1 - rate) for images whose uniform number of random.hpp, by their place in the batch, is
/// at least rate, else 0 (torchvision's mode "row"); output may be the input.
void stochastic_depth(Blocked output, ConstBlocked input, const StochasticDepthGeometry& geometry, int batch,
                      const RandomKey& random);

/// d_input from d_output by the same numbers, made again; d_input may be d_output.
void stochastic_depth_backward_input(Blocked d_input, ConstBlocked d_output,
                                     const StochasticDepthGeometry& geometry, int batch,
                                     const RandomKey& random);

}  // namespace cnn
