// Copies a map, where a buffer can't be shared.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// output = input, of the same geometry; their blocks' strides may differ.
void copy(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch);

}  // namespace cnn
