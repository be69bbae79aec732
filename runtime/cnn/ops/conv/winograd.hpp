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
inline constexpr int kOwnRows = 4;                    // the same where a task transforms their weights itself
inline constexpr int kMostTiles = 8 * kPanelColumns;  // of a block

constexpr int rows_of_group(int out_channels) { return std::min(kRowGroup, panel_count(out_channels, kPanelRows)) * kPanelRows; }

/// How tiles are cut for forward and backward-input so that eight threads have work: into blocks of panels, which read the
/// weights once each; where there are few blocks, output channels are cut into parts, which share the transformed inputs.
struct Blocks {
  int panels = 0, blocks = 0, row_parts = 1;
  bool own_weights = false;  // whether each task transforms the weights of its rows, which then are nowhere as a whole

  constexpr Blocks(int in_channels, int out_channels, const Tiles& tiles)
      : panels(panel_count(tiles.count, kPanelColumns)), blocks(panel_count(panels, panels_of_block(in_channels + out_channels))) {
    if (blocks == 0) return;
    own_weights = blocks <= most_with_own_weights(in_channels, out_channels);
    if (!own_weights) {
      if (blocks >= kWanted) return;
      blocks = std::min(panels, kWanted);
      if (is_heavy(in_channels, out_channels)) return;
    }
    row_parts = std::min(panel_count(kWanted, blocks), most_parts(out_channels));
  }
  constexpr int panel_begin(int block) const { return static_cast<int>(static_cast<long>(panels) * block / blocks); }

  /// Whether transformed weights, four times the weights, would take more than half a megafloat: these are not kept for predictions.
  static constexpr bool is_heavy(int in_channels, int out_channels) { return in_channels * out_channels > 1 << 14; }

 private:
  friend constexpr ScratchSize filter_scratch(int, int, const Tiles&, int);

  static constexpr int kWanted = 8;
  static constexpr int kPartRows = 8;  // panels, at least

  static constexpr int most_parts(int out_channels) { return panel_count(panel_count(out_channels, kPanelRows), kPartRows); }
  /// Two panels' transforms stay in a second-level cache. Weights don't, where there are many: then four panels that leave it are
  /// quicker than weights read twice as often.
  static constexpr int panels_of_block(int channels) {
    return std::clamp(4096 / channels / kPanelColumns, 4, kMostTiles / kPanelColumns);
  }
  /// Each block transforms all weights anew, which costs a seventh of its products; read once from memory they cost more.
  static constexpr int most_with_own_weights(int in_channels, int out_channels) {
    if (!is_heavy(in_channels, out_channels) || most_parts(out_channels) == 1) return 0;
    return std::clamp((in_channels * out_channels) >> 16, 1, 4);
  }
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

constexpr std::size_t weights_floats(int in, int out, int inputs) {
  return static_cast<std::size_t>(inputs * inputs * weights_stride(in, out));
}

/// Output channels' panels of the larger half, where all transformed weights or sums don't fit into the scratch: the work is done
/// for one half of them after the other, and inputs are transformed twice.
constexpr int half_of_panels(int panels) { return (panels + 1) / 2; }

constexpr std::size_t half_of_weights_floats(int in, int out, int inputs) {
  return weights_floats(in, half_of_panels(panel_count(out, kPanelRows)) * kPanelRows, inputs);
}

/// Floats for batches of any size up to that of `tiles`. For each thread: a block's transformed inputs and sums, and the weights of a
/// few rows. Shared: the transformed weights, and inputs behind them.
constexpr ScratchSize filter_scratch(int in, int out, const Tiles& tiles, int inputs) {
  const Blocks blocks(in, out, tiles);
  const int of_block = Blocks::panels_of_block(in + out);
  const int floats = transform_floats(inputs);
  ScratchSize size;
  if (const int most = Blocks::most_with_own_weights(in, out); most > 0) {
    const int panels = std::min(of_block, blocks.panels);
    size.per_thread = static_cast<std::size_t>(panels * kOwnRows * kPanelRows * floats) + weights_floats(in, kOwnRows * kPanelRows, inputs) +
                      strip_floats(panels);
    size.shared = static_cast<std::size_t>(std::min(blocks.panels, most * of_block) * in * floats);
  }
  if (!blocks.own_weights) {
    const int panels = std::min(of_block, panel_count(blocks.panels, Blocks::kWanted));
    const bool shares = !Blocks::is_heavy(in, out) && Blocks::most_parts(out) > 1;
    const int shared = shares ? std::min(blocks.panels, Blocks::kWanted - 1) * in * floats : 0;
    size.per_thread = std::max(size.per_thread, static_cast<std::size_t>(panels * (in + rows_of_group(out)) * floats) + strip_floats(panels));
    if (Blocks::is_heavy(in, out)) size.least_shared = std::max(size.shared, half_of_weights_floats(in, out, inputs));
    size.shared = std::max(size.shared, weights_floats(in, out, inputs) + static_cast<std::size_t>(shared));
    if (size.least_shared == size.shared) size.least_shared = 0;
  }
  return size;
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
  int first_row = 0;  // of the panels of rows: 0, or half of them later

  constexpr explicit GradientTasks(const ConvGeometry& g)
      : row_panels(panel_count(g.out_channels, kPanelRows)), column_panels(panel_count(g.in_channels, kPanelColumns)), slots(1) {
    while (slots < 8 && 2 * slots * slot_floats() <= std::ptrdiff_t{1} << 21) slots *= 2;
  }
  /// The same for `rows` panels of rows from `first` on.
  constexpr GradientTasks of_rows(int first, int rows) const {
    GradientTasks some = *this;
    some.first_row = first;
    some.row_panels = rows;
    return some;
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
  /// Where one slot is all there is, its rows can be summed up in two halves: floats of the sums of the larger one.
  constexpr std::ptrdiff_t half_of_slot_floats() const { return of_rows(0, half_of_panels(row_panels)).slot_floats(); }
  constexpr std::ptrdiff_t thread_floats() const { return column_panels * panel_floats(kPanelColumns) + row_panels * panel_floats(kPanelRows); }
};

constexpr ScratchSize conv_backward_params_scratch(const ConvGeometry& g, int /*batch*/) {
  const GradientTasks tasks(g);
  return {.per_thread = static_cast<std::size_t>(tasks.thread_floats()),
          .shared = static_cast<std::size_t>(tasks.slots * tasks.slot_floats()),
          .least_shared = tasks.slots > 1 || tasks.row_panels == 1 ? 0 : static_cast<std::size_t>(tasks.half_of_slot_floats())};
}

/// As cnn::conv and its backward passes.
void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue,
          const ConvGeometry& geometry, int batch, const Scratch& scratch);

/// As cnn::conv_prepare: the transformed weights.
constexpr std::size_t conv_prepared_floats(const ConvGeometry& g) { return weights_floats(g.in_channels, g.out_channels, kInputs); }
void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);
constexpr ScratchSize without_weights(ScratchSize size, const ConvGeometry& g, std::size_t weights) {
  if (!Blocks::is_heavy(g.in_channels, g.out_channels)) size.shared -= weights;
  return size;
}
constexpr ScratchSize conv_prepared_scratch(const ConvGeometry& g, int batch) {
  return without_weights(winograd::conv_scratch(g, batch), g, winograd::conv_prepared_floats(g));
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
  return without_weights(conv_2x2_scratch(g, batch), g, conv_2x2_prepared_floats(g));
}

void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& geometry, int batch,
                         const Scratch& scratch);

void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& geometry, int batch,
                          const Scratch& scratch);
void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input,
                          const ConvGeometry& geometry, int batch, const Scratch& scratch);

}  // namespace cnn::winograd
