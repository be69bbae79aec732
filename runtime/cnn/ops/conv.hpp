// Convolution (cross-correlation, as every framework has it): any kernel, stride, padding, dilation, groups.
#pragma once

#include <algorithm>
#include <concepts>
#include <utility>

#include "cnn/ops/conv/correlation.hpp"
#include "cnn/ops/loaded.hpp"

namespace cnn {

struct ConvGeometry {
  int in_channels = 0, in_height = 0, in_width = 0;
  int out_channels = 0, out_height = 0, out_width = 0;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int pad_top = 0, pad_left = 0;  // bottom and right follow from the output's size
  int dilation_height = 1, dilation_width = 1;
  int groups = 1;
  int block = 1;

  constexpr int taps() const { return kernel_height * kernel_width; }
  /// Products in one output element: the rows of the whole matrix of columns.
  constexpr int depth() const { return in_channels / groups * taps(); }
  /// A 1x1 convolution whose columns are the input itself.
  constexpr bool pointwise() const {
    return taps() == 1 && stride_height == 1 && stride_width == 1 && pad_top == 0 && pad_left == 0 &&
           out_height == in_height && out_width == in_width;
  }
};

/// Steps of the depth that a task of backward-params takes.
inline constexpr int kChunkSteps = 256;

/// Partial sums of the weights' gradient, so that eight threads have work, as far as a megafloat goes.
constexpr int conv_slots(const ConvGeometry& g) {
  const int chunks = (g.depth() + kChunkSteps - 1) / kChunkSteps * g.groups;
  const std::ptrdiff_t weights = static_cast<std::ptrdiff_t>(g.out_channels) * g.depth();
  return static_cast<int>(std::clamp<std::ptrdiff_t>((1 << 20) / weights, 1, (8 + chunks - 1) / chunks));
}

/// A convolution of one group as a correlation. A 1x1 convolution sees each image as one row.
constexpr Correlation forward_correlation(const ConvGeometry& g, int group = 0) {
  Correlation c{.in_channels = g.in_channels / g.groups,
                .out_channels = g.out_channels / g.groups,
                .group = group,
                .groups = g.groups,
                .block = g.block};
  if (g.pointwise()) {
    c.vertical = {.count = 1, .source = 1, .target = 1};
    c.horizontal = {.count = g.out_height * g.out_width,
                    .source = g.in_height * g.in_width,
                    .target = g.out_height * g.out_width};
    return c;
  }
  c.vertical = {.count = g.out_height, .stride = g.stride_height, .taps = g.kernel_height, .shift = -g.pad_top,
                .tap_spacing = g.dilation_height, .source = g.in_height, .target = g.out_height};
  c.horizontal = {.count = g.out_width, .stride = g.stride_width, .taps = g.kernel_width, .shift = -g.pad_left,
                  .tap_spacing = g.dilation_width, .source = g.in_width, .target = g.out_width};
  return c;
}

/// The taps first, first + spacing, … below `count` of an axis.
struct ConvTaps {
  int first = 0, spacing = 1, count = 0;
};

/// The taps that reach places `phase`, phase + stride, … of the input: tap * dilation = phase + pad modulo stride.
constexpr ConvTaps phase_taps(int kernel, int stride, int dilation, int pad, int phase) {
  ConvTaps taps;
  int found = 0;
  for (int tap = 0; tap < kernel; ++tap) {
    if ((phase + pad - tap * dilation) % stride != 0) continue;
    if (found == 0) taps.first = tap;
    if (found == 1) taps.spacing = tap - taps.first;
    ++found;
  }
  taps.count = found;
  return taps;
}

/// One axis of the gradient of the input's places `phase`, phase + stride, …: the output's gradient, correlated with the
/// taps that reach them. No zeros are put between its elements (sub-pixel phases: Shi et al. 2016, appendix).
constexpr CorrelationAxis phase_axis(int kernel, int stride, int dilation, int pad, int phase, int in, int out) {
  const ConvTaps taps = phase_taps(kernel, stride, dilation, pad, phase);
  return {.count = in > phase ? (in - phase + stride - 1) / stride : 0,
          .first = phase,
          .spacing = stride,
          .stride = 1,
          .taps = taps.count,
          .shift = (phase + pad - taps.first * dilation) / stride,
          .tap_spacing = -(taps.spacing * dilation) / stride,
          .source = out,
          .target = in};
}

/// Phase `phase` of conv_phases(g) of backward-input.
constexpr int conv_phases(const ConvGeometry& g) { return g.stride_height * g.stride_width; }
constexpr Correlation backward_correlation(const ConvGeometry& g, int phase, int group = 0) {
  if (g.pointwise()) {
    Correlation c = forward_correlation(g, group);
    std::swap(c.in_channels, c.out_channels);
    return c;
  }
  return {.vertical = phase_axis(g.kernel_height, g.stride_height, g.dilation_height, g.pad_top, phase / g.stride_width,
                                 g.in_height, g.out_height),
          .horizontal = phase_axis(g.kernel_width, g.stride_width, g.dilation_width, g.pad_left, phase % g.stride_width,
                                   g.in_width, g.out_width),
          .in_channels = g.out_channels / g.groups,
          .out_channels = g.in_channels / g.groups,
          .group = group,
          .groups = g.groups,
          .block = g.block};
}

/// Floats of packed weights.
constexpr std::size_t conv_prepared_floats(const ConvGeometry& g) {
  const Correlation c = forward_correlation(g);
  return left_panel_floats(c.out_channels, c.depth()) * static_cast<std::size_t>(g.groups);
}

/// Floats that the functions below need, for batches of up to `batch`: packed weights and the columns of a few images, which
/// all threads share, and a tile's columns for each.
constexpr ScratchSize conv_scratch(const ConvGeometry& g, int batch) {
  const Correlation c = forward_correlation(g);
  return {.per_thread = correlation_scratch(c), .shared = conv_prepared_floats(g) + shared_columns_scratch(c, batch)};
}

constexpr ScratchSize conv_backward_input_scratch(const ConvGeometry& g, int batch) {
  ScratchSize size;
  std::size_t columns = 0;
  for (int phase = 0; phase < conv_phases(g); ++phase) {
    const Correlation c = backward_correlation(g, phase);
    size.per_thread = std::max(size.per_thread, correlation_scratch(c));
    size.shared += left_panel_floats(c.out_channels, c.depth()) * static_cast<std::size_t>(g.groups);
    columns = std::max(columns, shared_columns_scratch(c, batch));
  }
  size.shared += columns;
  return size;
}

/// A tile's columns and gradients for each thread; the partial sums.
inline constexpr int kGradientPanels = 2;  // of inputs, packed at a time

constexpr ScratchSize conv_backward_params_scratch(const ConvGeometry& g, int /*batch*/) {
  const std::size_t columns = kTilePanels * kPanelColumns;
  return {.per_thread = kGradientPanels * columns * kPanelColumns + left_panel_floats(g.out_channels / g.groups, 1) * columns +
                        piece_floats(forward_correlation(g)),
          .shared = static_cast<std::size_t>(conv_slots(g) - 1) * static_cast<std::size_t>(g.out_channels) *
                    static_cast<std::size_t>(g.depth())};
}

/// A convolution's weights [out, in / groups, kh, kw], or what `conv_prepare` of the same namespace made of them.
struct ConvWeights {
  const float* data = nullptr;
  bool prepared = false;

  template <std::convertible_to<ConstFloats> Weights>
  constexpr ConvWeights(const Weights& weights) : data(ConstFloats(weights).data()) {}  // NOLINT: as they are stored
  constexpr ConvWeights(ConstFloats weights, bool prepared) : data(weights.data()), prepared(prepared) {}
};
constexpr ConvWeights prepared(ConstFloats weights) {
  return {weights, true};
}

/// output [.., out_channels, out_height, out_width] = epilogue(weight * input).
void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue,
          const ConvGeometry& geometry, int batch, const Scratch& scratch);

/// What `conv` would make of the weights on each call, once: conv_prepared_floats().
void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);
/// What `conv` needs with prepared weights.
constexpr ScratchSize conv_prepared_scratch(const ConvGeometry& g, int batch) {
  const Correlation c = forward_correlation(g);
  return {.per_thread = correlation_scratch(c), .shared = shared_columns_scratch(c, batch)};
}

/// d_input gets the gradient, or that is added to it, or it takes the place of an activation's output (see Result).
void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight,
                         const ConvGeometry& geometry, int batch, const Scratch& scratch);

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input,
                          const ConvGeometry& geometry, int batch, const Scratch& scratch);
void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input,
                          const ConvGeometry& geometry, int batch, const Scratch& scratch);

}  // namespace cnn
