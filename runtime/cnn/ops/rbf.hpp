// Radial basis functions with fixed codes, the output layer of LeNet-5 as published (LeCun et al. 1998,
// section II.B).
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// What a code has: one number for each pixel of a picture of 7 x 12.
inline constexpr int kRbfCodeLength = 84;
/// One code for each digit.
inline constexpr int kRbfCodes = 10;

struct RbfGeometry {
  int in = kRbfCodeLength;
  int out = kRbfCodes;
  int block = 1;
};

/// The code of a digit at pixel `place`, row by row: 1 for ink, -1 for paper.
float rbf_code(int digit, int place);

/// output[digit] = -sum of (input - code)^2 for flat maps: equation 7, its sign turned so that the best is
/// the largest.
void rbf(Blocked output, ConstBlocked input, const RbfGeometry& geometry, int batch);

/// d_input = sum over digits of -2 * d_output[digit] * (input - code).
void rbf_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                        const RbfGeometry& geometry, int batch);

}  // namespace cnn
