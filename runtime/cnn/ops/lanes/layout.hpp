// The layout of tiny networks: [N/16][C][H][W][16], sixteen images innermost, so that kernels work on sixteen images at
// once whatever the map's size. A block is that of a flat tensor with C * H * W features, so kernels that work element by
// element take it as it is.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn::lanes {

/// Images of a block.
inline constexpr int kImages = 16;

/// output [N/16][C][H][W][16] from images [N][C][H][W]; the lanes of missing images become 0.
void to_lanes(Blocked output, ConstFloats images, const MapGeometry& geometry, int batch);

}  // namespace cnn::lanes
