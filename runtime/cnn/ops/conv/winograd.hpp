// 3x3 and 5x5 convolutions of stride 1 by Winograd's minimal filtering F(4x4, 3x3) and F(2x2, 5x5) (Lavin & Gray 2016,
// section 4): tiles of 4x4 or 2x2 outputs from 6x6 inputs cost 36 products where the definition has 144 or 100. Rounding
// errors are some 20 times the definition's: the RMS is near 3e-6 of the outputs'. Where a map has too few tiles for whole
// panels, F(2x2, 3x3), with 16 products for 36 of the definition, has four times as many, and less than half the weights.
#pragma once

#include <algorithm>

#include "cnn/ops/conv.hpp"

namespace cnn::winograd {

/// Whether the functions below work for a convolution.
constexpr bool fits(const ConvGeometry& g) {
  return g.kernel_height == g.kernel_width && (g.kernel_height == 3 || g.kernel_height == 5) && g.stride_height == 1 &&
         g.stride_width == 1 && g.dilation_height == 1 && g.dilation_width == 1 && g.groups == 1 && g.pad_top < g.kernel_height &&
         g.pad_left < g.kernel_width && g.block == 1;
}

inline constexpr int kInputs = 6;                  // a side of the inputs that a tile of outputs reads
inline constexpr int kPoints = kInputs * kInputs;  // products a tile and pair of channels

/// A side of a tile of outputs, for kernels of `taps` x `taps`.
constexpr int outputs_of(int taps, int inputs = kInputs) { return inputs + 1 - taps; }

inline constexpr int kFewInputs = 4;  // the same of F(2x2, 3x3)

/// Tiles of a batch and of an image.
struct Tiles {
  int outputs;  // a side of a tile's
  int rows, columns, count;

  constexpr Tiles(int height, int width, int batch, int outputs)
      : outputs(outputs),
        rows((height + outputs - 1) / outputs),
        columns((width + outputs - 1) / outputs),
        count(rows * columns * batch) {}
};

inline constexpr int kRowGroup = 44;                  // panels of output channels whose sums are kept at a time
inline constexpr int kMostTiles = 8 * kPanelColumns;  // of a block

constexpr int rows_of_group(int out_channels) { return std::min(kRowGroup, panel_count(out_channels, kPanelRows)) * kPanelRows; }

/// How tiles are cut for forward and backward-input so that eight threads have work: into blocks of panels, which read the
/// weights once each; where there are few blocks, output channels are cut into parts, which share the transformed inputs.
struct Blocks {
  int panels = 0, blocks = 0, row_parts = 1;

  /// Two panels' transforms stay in a second-level cache. Weights don't, where there are many: then four panels that leave it are
  /// quicker than weights read twice as often.
  static constexpr int panels_of_block(int channels) {
    return std::clamp(4096 / channels / kPanelColumns, 4, kMostTiles / kPanelColumns);
  }
  constexpr Blocks(int in_channels, int out_channels, const Tiles& tiles)
      : panels(panel_count(tiles.count, kPanelColumns)), blocks(panel_count(panels, panels_of_block(in_channels + out_channels))) {
    if (blocks == 0 || blocks >= kWanted) return;
    if (!has_many_weights(in_channels, out_channels)) blocks = std::min(panels, kWanted);
    row_parts = std::min(panel_count(kWanted, blocks), most_parts(out_channels));
  }
  constexpr int panel_begin(int block) const { return static_cast<int>(static_cast<long>(panels) * block / blocks); }

  /// Floats of the inputs' transforms where they are shared, for batches of any size up to that of `tiles`.
  static constexpr std::size_t shared_floats(int in_channels, int out_channels, const Tiles& tiles, int inputs);

 private:
  static constexpr int kWanted = 8;
  static constexpr int kPartRows = 8;  // panels, at least
  static constexpr int most_parts(int out_channels) { return panel_count(panel_count(out_channels, kPanelRows), kPartRows); }
  // More than two megafloats, transformed: not to be read by twice as many blocks.
  static constexpr bool has_many_weights(int in_channels, int out_channels) { return in_channels * out_channels > 1 << 16; }
};

/// Floats from one point's matrix to the next one's: an odd number of cache lines, so that the same places of all points fall
/// into different sets.
constexpr std::ptrdiff_t point_stride(std::size_t floats) {
  constexpr std::size_t kLine = 16;
  return static_cast<std::ptrdiff_t>(((floats + kLine - 1) / kLine | 1) * kLine);
}
/// Of transformed weights of a point.
constexpr std::ptrdiff_t weights_stride(int in, int out) { return point_stride(left_panel_floats(out, in)); }

/// Floats from one channel of a block's transforms to the next: [point][tile of a panel], and a line more, so that a point's
/// lines fall into all sets of the cache.
constexpr int transform_floats(int inputs) { return (inputs * inputs + 1) * kPanelColumns; }

/// Floats of two channels' strips of a block: at most 80 for each tile.
constexpr std::size_t strip_floats(int panels) { return static_cast<std::size_t>(2 * 80 * kPanelColumns * panels); }

constexpr std::size_t Blocks::shared_floats(int in_channels, int out_channels, const Tiles& tiles, int inputs) {
  if (most_parts(out_channels) == 1) return 0;
  const int of_block = has_many_weights(in_channels, out_channels) ? panels_of_block(in_channels + out_channels) : 1;
  const int panels = std::min(panel_count(tiles.count, kPanelColumns), (kWanted - 1) * of_block);
  return static_cast<std::size_t>(panels) * static_cast<std::size_t>(in_channels * transform_floats(inputs));
}

constexpr std::size_t weights_floats(int in, int out, int inputs) {
  return static_cast<std::size_t>(inputs * inputs * weights_stride(in, out));
}

/// Floats for each thread: a block's transformed inputs and sums. Shared: the transformed weights, and inputs behind them.
constexpr ScratchSize filter_scratch(int in, int out, const Tiles& tiles, int inputs) {
  const int panels = std::min(Blocks::panels_of_block(in + out), panel_count(tiles.count, kPanelColumns));
  const int channels = panels * (in + rows_of_group(out));
  return {.per_thread = static_cast<std::size_t>(channels * transform_floats(inputs)) + strip_floats(panels),
          .shared = weights_floats(in, out, inputs) + Blocks::shared_floats(in, out, tiles, inputs)};
}
constexpr ScratchSize forward_scratch(const ConvGeometry& g, int batch, int inputs) {
  return filter_scratch(g.in_channels, g.out_channels, Tiles(g.out_height, g.out_width, batch, outputs_of(g.kernel_height, inputs)), inputs);
}
constexpr ScratchSize conv_scratch(const ConvGeometry& g, int batch) { return forward_scratch(g, batch, kInputs); }
constexpr ScratchSize conv_backward_input_scratch(const ConvGeometry& g, int batch) {
  return filter_scratch(g.out_channels, g.in_channels, Tiles(g.in_height, g.in_width, batch, outputs_of(g.kernel_height)), kInputs);
}

/// How backward-params is cut for threads: into slots of tiles, each of which sums up a transformed gradient of its own, as far
/// as two megafloats go; where they don't go far, into the rows of points, each of which transforms all tiles once more.
struct GradientTasks {
  int row_panels, column_panels;
  int slots;

  constexpr explicit GradientTasks(const ConvGeometry& g)
      : row_panels(panel_count(g.out_channels, kPanelRows)), column_panels(panel_count(g.in_channels, kPanelColumns)), slots(1) {
    while (slots < 8 && 2 * slots * slot_floats() <= std::ptrdiff_t{1} << 21) slots *= 2;
  }
  /// Floats from one point's sums to the next one's, and of a slot.
  constexpr std::ptrdiff_t stride() const {
    return point_stride(static_cast<std::size_t>(row_panels * kPanelRows) * static_cast<std::size_t>(column_panels * kPanelColumns));
  }
  constexpr std::ptrdiff_t slot_floats() const { return kPoints * stride(); }
  constexpr int tasks() const { return slots > 1 ? slots : kInputs; }

  /// Rows of points of a task, and tiles of a block.
  constexpr int rows() const { return slots > 1 ? kInputs : 1; }
  constexpr int tiles() const { return slots > 1 ? 32 : 128; }
  /// Floats from tile to tile and from point to point of a panel of a block's transforms: few points' tiles lie side by side,
  /// all points of a tile do. Stores of gradients reach two floats further.
  constexpr std::ptrdiff_t tile_step(int panel) const { return slots > 1 ? (kPoints + 1) * panel : panel; }
  constexpr std::ptrdiff_t point_step(int panel) const { return slots > 1 ? panel : (tiles() + 1) * panel; }
  constexpr std::ptrdiff_t panel_floats(int panel) const {
    return slots > 1 ? tiles() * tile_step(panel) : kInputs * point_step(panel);
  }
  constexpr std::ptrdiff_t thread_floats() const { return column_panels * panel_floats(kPanelColumns) + row_panels * panel_floats(kPanelRows); }
};

constexpr ScratchSize conv_backward_params_scratch(const ConvGeometry& g, int /*batch*/) {
  const GradientTasks tasks(g);
  return {.per_thread = static_cast<std::size_t>(tasks.thread_floats()),
          .shared = static_cast<std::size_t>(tasks.slots * tasks.slot_floats())};
}

/// As cnn::conv and its backward passes.
void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue,
          const ConvGeometry& geometry, int batch, const Scratch& scratch);

/// As cnn::conv_prepare: the transformed weights.
constexpr std::size_t conv_prepared_floats(const ConvGeometry& g) { return weights_floats(g.in_channels, g.out_channels, kInputs); }
void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);
constexpr ScratchSize without_weights(ScratchSize size, std::size_t weights) {
  return {.per_thread = size.per_thread, .shared = size.shared - weights};
}
constexpr ScratchSize conv_prepared_scratch(const ConvGeometry& g, int batch) {
  return without_weights(winograd::conv_scratch(g, batch), winograd::conv_prepared_floats(g));
}

/// The same by F(2x2, 3x3), for 3x3 convolutions that fit.
constexpr ScratchSize conv_2x2_scratch(const ConvGeometry& g, int batch) { return forward_scratch(g, batch, kFewInputs); }
void conv_2x2(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue,
              const ConvGeometry& geometry, int batch, const Scratch& scratch);
constexpr std::size_t conv_2x2_prepared_floats(const ConvGeometry& g) {
  return weights_floats(g.in_channels, g.out_channels, kFewInputs);
}
void conv_2x2_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);
constexpr ScratchSize conv_2x2_prepared_scratch(const ConvGeometry& g, int batch) {
  return without_weights(conv_2x2_scratch(g, batch), conv_2x2_prepared_floats(g));
}

void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& geometry, int batch,
                         const Scratch& scratch);

void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& geometry, int batch,
                          const Scratch& scratch);
void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input,
                          const ConvGeometry& geometry, int batch, const Scratch& scratch);

}  // namespace cnn::winograd
