// From the blocked layout to NCHW, as users have scores.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// images [N][C][H][W] from input [N/NB][C][NB][H][W].
void from_blocked(Floats images, ConstBlocked input, const MapGeometry& geometry, int batch);

}  // namespace cnn
