// Global average pooling: each channel's mean over its pixels.
#pragma once

#include "cnn/ops/loaded.hpp"

namespace cnn {

/// output [N/NB][C][NB] = mean of input [N/NB][C][NB][H][W] over H and W; the geometry is the input's.
void gap(Blocked output, const Loaded& input, const MapGeometry& geometry, int batch);

/// d_input = d_output / (H * W) at each pixel.
void gap_backward_input(Blocked d_input, ConstBlocked d_output, const MapGeometry& geometry, int batch);

}  // namespace cnn
