// Local response normalisation over neighbouring channels (Krizhevsky et al. 2012, section 3.3), as PyTorch
// has it.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// The largest window.
inline constexpr int kLrnMostSize = 1024;

struct LrnGeometry {
  int channels = 0, height = 1, width = 1;
  int size = 5;  // channels in a window: size / 2 before the channel, and what is left from it on
  int block = 1;
  float alpha = 1e-4f, beta = 0.75f, k = 1;

  constexpr MapGeometry map() const { return {channels, height, width, block}; }
};

/// output = input / (k + alpha / size * the sum of squares over the channel's window)^beta; channels that
/// don't exist count as zeros.
void lrn(Blocked output, ConstBlocked input, const LrnGeometry& geometry, int batch);

/// d_input = d_output / scale^beta - 2 alpha beta / size * input * the sum of d_output * input / scale^(beta
/// + 1) over the channels whose windows have it, where scale is the bracket above; d_input may be d_output.
void lrn_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                        const LrnGeometry& geometry, int batch);

}  // namespace cnn
