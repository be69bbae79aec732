// Maps to flat features, in the order of NCHW.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output [N/NB][C * H * W][NB] from input [N/NB][C][NB][H][W], whose geometry this is.
void flatten(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

/// The way back: d_input [N/NB][C][NB][H][W] from d_output [N/NB][C * H * W][NB].
void flatten_backward_input(Blocked d_input, ConstBlocked d_output, const MapGeometry& geometry, int batch);

}  // namespace cnn
