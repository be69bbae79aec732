// The product of maps: gates, and the scales of squeeze-and-excitation.
#pragma once

#include <initializer_list>

#include "cnn/core/types.hpp"

namespace cnn {

inline constexpr int kMostFactors = 8;

struct MulGeometry {
  int channels = 0, height = 1, width = 1;  // the output's
  int block = 1;
  bool scales[kMostFactors] =
      {};  // which inputs are one number a channel, [N/NB][C][NB], rather than whole maps
};

/// output = the product of the inputs; a scale stands for all pixels of its channel. At least one input is
/// whole.
void mul(Blocked output, std::initializer_list<ConstBlocked> inputs, const MulGeometry& geometry, int batch);

/// The gradient of inputs[input]: d_output times the others, and for a scale the sum of that over the pixels.
void mul_backward_input(Blocked d_input, ConstBlocked d_output, std::initializer_list<ConstBlocked> inputs,
                        int input, const MulGeometry& geometry, int batch);

}  // namespace cnn
