// Products of two maps, one of which may be a value a channel: the gate of a squeeze-and-excitation block.
#pragma once

#include <initializer_list>

#include "cnn/core/types.hpp"

namespace cnn {

struct MulGeometry {
  int channels = 0, height = 1, width = 1;
  int block = 1;
  int broadcast = 0;  // 1 or 2: the first or second input is one value a channel, flat [N/NB][C][NB]

  constexpr MapGeometry map() const { return {channels, height, width, block}; }
};

/// output = first input * second, element by element; output may be an input that is a whole map.
void mul(Blocked output, std::initializer_list<ConstBlocked> inputs, const MulGeometry& geometry, int batch);

/// The gradient of input `which`, 0 or 1: d_output * the other input, and where `which` is one value a
/// channel its sum over the map, in a fixed order; a whole map's d_input may be d_output.
void mul_backward_input(Blocked d_input, ConstBlocked d_output, std::initializer_list<ConstBlocked> inputs,
                        const MulGeometry& geometry, int which, int batch);

}  // namespace cnn
