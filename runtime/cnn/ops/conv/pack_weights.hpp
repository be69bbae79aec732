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

/// `rows` columns of 1x1 weights [out][in], then zeros, as rows of a panel that multiply gradients; returns the panel's next step.
inline float* pack_turned_rows(float* panel, const float* weight, int out, int in, int rows) {
  for (int channel = 0; channel < out; ++channel, weight += in) {
    for (int row = 0; row < kPanelRows; ++row) *panel++ = row < rows ? weight[row] : 0.0f;
  }
  return panel;
}

}  // namespace cnn
