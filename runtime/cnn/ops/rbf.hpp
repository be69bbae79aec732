// Radial basis functions with fixed codes, the output layer of LeNet-5 as published (LeCun et al. 1998,
// section II.B).
#pragma once

#include <array>
#include <cstdint>

#include "cnn/core/types.hpp"

namespace cnn {

/// What a code has: one number for each pixel of a picture of 7 x 12.
inline constexpr int kRbfCodeLength = 84;
/// One code for each digit.
inline constexpr int kRbfCodes = 10;

/// Half of a code fills a word.
inline constexpr int kRbfWordPixels = kRbfCodeLength / 2;

struct RbfGeometry {
  int in = kRbfCodeLength;
  int out = kRbfCodes;
  int block = 1;
  /// Two words a digit: bit `place` of the first for its pixels row by row, then the second; a set bit is the
  /// code's 1, a bit that isn't its -1.
  std::array<std::int64_t, 2 * kRbfCodes> codes{};
};

/// output[digit] = -sum of (input - code)^2 for flat maps: equation 7, its sign turned so that the best is
/// the largest.
void rbf(Blocked output, ConstBlocked input, const RbfGeometry& geometry, int batch);

/// d_input = sum over digits of -2 * d_output[digit] * (input - code).
void rbf_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                        const RbfGeometry& geometry, int batch);

}  // namespace cnn
