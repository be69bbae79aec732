// Depthwise convolution: each output channel reads one input channel.
#pragma once

#include <algorithm>

#include "cnn/core/types.hpp"
#include "cnn/ops/conv.hpp"

namespace cnn {

/// Where a plane lies while a depthwise kernel works on it: padded, and cut into one plane for each remainder
/// of row and column by the stride, so that every tap of the kernel reads neighbours side by side.
struct DepthwiseLayout {
  int reach_height, reach_width;  // rows and columns of such a plane beyond the output's
  int rows, pitch;                // of such a plane; the pitch is also that of the output's rows
  int phases_height, phases_width;
  int margin;  // zeros around the output's gradient, so that taps may read beside it

  constexpr explicit DepthwiseLayout(const ConvGeometry& g)
      : reach_height(g.dilation_height * (g.kernel_height - 1) / g.stride_height),
        reach_width(g.dilation_width * (g.kernel_width - 1) / g.stride_width),
        rows(g.out_height + reach_height),
        pitch(g.out_width + reach_width),
        phases_height(std::min(g.stride_height, g.dilation_height * (g.kernel_height - 1) + 1)),
        phases_width(std::min(g.stride_width, g.dilation_width * (g.kernel_width - 1) + 1)),
        margin(reach_height * pitch + reach_width) {}

  constexpr std::size_t plane() const { return static_cast<std::size_t>(rows) * pitch; }
  constexpr std::size_t input_floats() const { return plane() * phases_height * phases_width; }
  /// The output's rows at the pitch, with the margin before and behind.
  constexpr std::size_t output_floats(int out_height) const {
    return static_cast<std::size_t>(out_height) * pitch + 2 * static_cast<std::size_t>(margin);
  }
};

/// Taps that a depthwise kernel may have: 31x31.
inline constexpr int kMostDepthwiseTaps = 961;

/// A plane of the input and one of the output for each thread, and as much as vectors reach beyond them.
constexpr ScratchSize dwconv_scratch(const ConvGeometry& g, int /*batch*/) {
  const DepthwiseLayout layout(g);
  return {.per_thread = layout.input_floats() + layout.output_floats(g.out_height) + 8, .shared = 0};
}

/// As conv with groups = in_channels, which the geometry must have, and at most kMostDepthwiseTaps: output
/// channel i reads input channel i / (out_channels / in_channels); weight is [out, 1, kh, kw].
void dwconv(Blocked output, const Loaded& input, ConstFloats weight, const Epilogue& epilogue,
            const ConvGeometry& geometry, int batch, const Scratch& scratch);

void dwconv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                           const ConvGeometry& geometry, int batch, const Scratch& scratch);

void dwconv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input,
                            const ConvGeometry& geometry, int batch, const Scratch& scratch);
void dwconv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input,
                            const ConvGeometry& geometry, int batch, const Scratch& scratch);

}  // namespace cnn
