// The sum of maps of one shape: residual branches, and gradients that meet. With one input, a map as it is loaded.
#pragma once

#include <initializer_list>

#include "cnn/ops/loaded.hpp"

namespace cnn {

/// output = activation(the inputs' sum), added in their order; output may be one of the maps.
void add(Blocked output, std::initializer_list<Loaded> inputs, Activation activation, const MapGeometry& geometry, int batch);

}  // namespace cnn
