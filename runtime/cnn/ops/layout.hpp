// Between NCHW, as users and files have images, and the blocked layout.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output [N/NB][C][NB][H][W] from images [N][C][H][W].
void to_blocked(Blocked output, ConstFloats images, const MapGeometry& geometry, int batch);

/// images [N][C][H][W] from input [N/NB][C][NB][H][W].
void from_blocked(Floats images, ConstBlocked input, const MapGeometry& geometry, int batch);

}  // namespace cnn
