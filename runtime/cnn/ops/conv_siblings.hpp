// 1x1 convolutions that read the same map, as the arms of an inception block do: one product, whose columns are packed once.
#pragma once

#include <initializer_list>

#include "cnn/ops/conv.hpp"

namespace cnn {

inline constexpr int kMostSiblings = 8;

struct SiblingsGeometry {
  int in_channels = 0, height = 0, width = 0;  // of the map; the outputs are as high and as wide
  int out_channels[kMostSiblings] = {};        // of each convolution, 0 behind the last

  /// One of them alone.
  constexpr ConvGeometry sibling(int number) const {
    return {.in_channels = in_channels, .in_height = height, .in_width = width,
            .out_channels = out_channels[number], .out_height = height, .out_width = width};
  }
  constexpr int all_channels() const {
    int all = 0;
    for (const int channels : out_channels) all += channels;
    return all;
  }
  /// Left panels of a convolution's weights, and of all weights, each convolution's beginning with a panel of their own.
  constexpr int panels(int number) const { return panel_count(out_channels[number], kPanelRows); }
  constexpr int row_panels() const {
    int all = 0;
    for (int number = 0; number < kMostSiblings; ++number) all += panels(number);
    return all;
  }
};

/// All of them as one correlation, with the rows that its panels have.
constexpr Correlation siblings_correlation(const SiblingsGeometry& g) {
  Correlation c = forward_correlation(g.sibling(0));
  c.out_channels = g.row_panels() * kPanelRows;
  return c;
}

/// Floats that conv_siblings needs for batches of up to `batch` with prepared weights: as conv of as many output channels.
constexpr ScratchSize conv_siblings_prepared_scratch(const SiblingsGeometry& g, int batch) {
  const Correlation c = siblings_correlation(g);
  return {.per_thread = correlation_scratch(c), .shared = shared_columns_scratch(c, batch)};
}
/// The same with weights as they are stored, which are then packed on each call.
constexpr ScratchSize conv_siblings_scratch(const SiblingsGeometry& g, int batch) {
  const Correlation c = siblings_correlation(g);
  ScratchSize size = conv_siblings_prepared_scratch(g, batch);
  size.shared += left_panel_floats(c.out_channels, c.depth());
  return size;
}

/// The gradients of all outputs as one correlation, whose depth is that of all weights turned over.
constexpr Correlation siblings_backward_correlation(const SiblingsGeometry& g) {
  Correlation c = backward_correlation(g.sibling(0), 0);
  c.in_channels = g.all_channels();
  return c;
}
constexpr ScratchSize conv_siblings_backward_input_scratch(const SiblingsGeometry& g, int batch) {
  const Correlation c = siblings_backward_correlation(g);
  return {.per_thread = correlation_scratch(c),
          .shared = left_panel_floats(c.out_channels, c.depth()) + shared_columns_scratch(c, batch)};
}

/// One of the convolutions: its weights, prepared by `conv_prepare` of its own geometry or not, and what becomes of its sums.
struct ConvSibling {
  Blocked output;
  ConvWeights weight;
  Epilogue epilogue = {};
};

/// output [.., out_channels, height, width] = epilogue(weight * input) for each, to the bit what `conv` would make of it. NB = 1.
/// Outputs share no memory with the input, nor with each other; an addend's memory may be its own output's.
void conv_siblings(std::initializer_list<ConvSibling> siblings, const Loaded& input, const SiblingsGeometry& geometry, int batch,
                   const Scratch& scratch);

/// One of them backward: the gradient of its output, and its weights as they are stored.
struct SiblingGradient {
  ConstBlocked d_output;
  ConstFloats weight;
};

/// d_input gets the sum of what `conv_backward_input` of each would make, or that is added to it. No d_output's memory is d_input's.
void conv_siblings_backward_input(const Result& d_input, std::initializer_list<SiblingGradient> siblings,
                                  const SiblingsGeometry& geometry, int batch, const Scratch& scratch);

}  // namespace cnn
