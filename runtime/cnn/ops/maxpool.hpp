// Max pooling.
#pragma once

#include <cstdint>
#include <span>

#include "cnn/ops/loaded.hpp"
#include "cnn/ops/pool.hpp"

namespace cnn {

/// What `saved` holds for a window that has no element of the input.
inline constexpr std::uint8_t kNoWinner = 255;

/// output = the largest element of each window, the first of equals, NaN where there is one (-infinity in a
/// window that is all padding); saved, a byte an output in [N/NB][C][NB][out_height][out_width], gets the
/// winner's place in its window, row by row, so a window has at most 255 places.
void maxpool(Blocked output, std::span<std::uint8_t> saved, const Loaded& input, const PoolGeometry& geometry,
             int batch);

/// For inference: keeps nothing.
void maxpool(Blocked output, const Loaded& input, const PoolGeometry& geometry, int batch);

/// d_input = at each place the sum of d_output over the windows it won.
void maxpool_backward_input(Blocked d_input, ConstBlocked d_output, std::span<const std::uint8_t> saved,
                            const PoolGeometry& geometry, int batch);

}  // namespace cnn
