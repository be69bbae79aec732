// How a convolution's weights become left panels. For conv's sources only.
#pragma once

#include "cnn/core/panels.hpp"

namespace cnn {

/// A panel of a group's weights [out][depth] as they multiply columns forward: `rows` of them, then zeros.
inline void pack_forward_panel(float* panel, const float* weight, int rows, int depth) {
  for (int row = 0; row < kPanelRows; ++row) {
    const float* from = weight + static_cast<std::ptrdiff_t>(row) * depth;
    for (int step = 0; step < depth; ++step) panel[step * kPanelRows + row] = row < rows ? from[step] : 0.0f;
  }
}

}  // namespace cnn
