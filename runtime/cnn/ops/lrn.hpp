// Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3).
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// The most channels that a sum may cover.
inline constexpr int kMostLrnChannels = 64;

struct LrnGeometry {
  int channels = 0, height = 1, width = 1;
  int block = 1;
  int size = 5;  // channels [c - size / 2, c + (size - 1) / 2] are summed for channel c, as PyTorch has it
  float alpha = 1e-4f;
  float beta = 0.75f;
  float k = 1;
};

/// output = input / (k + alpha / size * sum of input^2 over the channels around)^beta.
void lrn(Blocked output, ConstBlocked input, const LrnGeometry& geometry, int batch);

/// d_input = d_output / s^beta - 2 alpha beta / size * input * sum of d_output * input / s^(beta + 1) over
/// the channels whose sums have this one, with s what the power is taken of.
void lrn_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                        const LrnGeometry& geometry, int batch);

}  // namespace cnn
