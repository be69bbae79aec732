// The sum of maps of one shape: residual branches, and gradients that meet.
#pragma once

#include <initializer_list>

#include "cnn/core/types.hpp"

namespace cnn {

/// output = the inputs' sum, added in their order; output may be one of them.
void add(Blocked output, std::initializer_list<ConstBlocked> inputs, const MapGeometry& geometry, int batch);

}  // namespace cnn
