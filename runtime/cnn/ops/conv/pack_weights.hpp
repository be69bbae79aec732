// How a convolution's weights become left panels. For conv's sources only.
#pragma once

#include "cnn/core/panels.hpp"
#include "cnn/ops/conv.hpp"

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

/// Which taps a phase of backward-input multiplies, in the order of its correlation.
struct PhaseTaps {
  ConvTaps vertical, horizontal;

  PhaseTaps(const ConvGeometry& g, int phase)
      : vertical(phase_taps(g.kernel_height, g.stride_height, g.dilation_height, g.pad_top, phase / g.stride_width)),
        horizontal(phase_taps(g.kernel_width, g.stride_width, g.dilation_width, g.pad_left, phase % g.stride_width)) {}

  int count() const { return vertical.count * horizontal.count; }
  int tap(int index, const ConvGeometry& g) const {
    return (vertical.first + index / horizontal.count * vertical.spacing) * g.kernel_width + horizontal.first +
           index % horizontal.count * horizontal.spacing;
  }
};

}  // namespace cnn
