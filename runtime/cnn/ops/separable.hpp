// Depthwise separable convolutions (Howard et al. 2017) and inverted residuals (Sandler et al. 2018) as one kernel: between the
// 1x1 convolutions and the depthwise one, maps with many channels never leave a second-level cache.
#pragma once

#include <algorithm>

#include "cnn/ops/conv.hpp"
#include "cnn/ops/dwconv.hpp"

namespace cnn {

/// A depthwise convolution with a 1x1 convolution behind it, and perhaps a convolution before it. One of these convolutions
/// has a group of its own for each channel; the kernel without a name before it is its.
struct SeparableGeometry {
  int in_channels = 0, in_height = 0, in_width = 0;
  int hidden_channels = 0, hidden_height = 0, hidden_width = 0;  // what the depthwise convolution reads
  int out_channels = 0, out_height = 0, out_width = 0;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int pad_top = 0, pad_left = 0;
  int dilation_height = 1, dilation_width = 1;
  bool expands = false;  // whether there is a convolution before it; without, the hidden map is the input
  int expansion_kernel_height = 1, expansion_kernel_width = 1;
  int expansion_stride_height = 1, expansion_stride_width = 1;
  int expansion_pad_top = 0, expansion_pad_left = 0;
  int expansion_dilation_height = 1, expansion_dilation_width = 1;

  constexpr ConvGeometry expansion() const {
    return {.in_channels = in_channels, .in_height = in_height, .in_width = in_width,
            .out_channels = hidden_channels, .out_height = hidden_height, .out_width = hidden_width,
            .kernel_height = expansion_kernel_height, .kernel_width = expansion_kernel_width,
            .stride_height = expansion_stride_height, .stride_width = expansion_stride_width,
            .pad_top = expansion_pad_top, .pad_left = expansion_pad_left,
            .dilation_height = expansion_dilation_height, .dilation_width = expansion_dilation_width};
  }
  constexpr ConvGeometry depthwise() const {
    return {.in_channels = hidden_channels, .in_height = hidden_height, .in_width = hidden_width,
            .out_channels = hidden_channels, .out_height = out_height, .out_width = out_width,
            .kernel_height = kernel_height, .kernel_width = kernel_width,
            .stride_height = stride_height, .stride_width = stride_width,
            .pad_top = pad_top, .pad_left = pad_left,
            .dilation_height = dilation_height, .dilation_width = dilation_width,
            .groups = hidden_channels};
  }
  constexpr ConvGeometry projection() const {
    return {.in_channels = hidden_channels, .in_height = out_height, .in_width = out_width,
            .out_channels = out_channels, .out_height = out_height, .out_width = out_width};
  }
  /// Whether the depthwise convolution has windows of 3x3, padded by 1, a stride of 1 or of 2 on a map of even size, and reads what an
  /// expansion makes.
  constexpr bool has_3x3_windows() const {
    return expands && kernel_height == 3 && kernel_width == 3 && pad_top == 1 && pad_left == 1 && dilation_height == 1 && dilation_width == 1 &&
           stride_height == stride_width && (stride_height == 1 || stride_height == 2) && out_height * stride_height == hidden_height &&
           out_width * stride_width == hidden_width;
  }
  /// Phases of each axis that hidden maps are made in, so that windows read columns that follow each other.
  constexpr int phases() const { return has_3x3_windows() ? stride_height : 1; }
  /// Products of a hidden element's sum.
  constexpr int depth() const { return in_channels * expansion_kernel_height * expansion_kernel_width; }
};

/// How the outputs of a batch are cut: into bands of whole images, or of rows of one image. Where there are few bands the
/// hidden channels are cut into parts, each of which adds up its own sums.
struct SeparableBands {
  int images = 1, rows = 1;      // of a band, at most
  int bands = 0, in_image = 1;   // of the batch; of one image, if bands are parts of images
  int parts = 1;                 // of the hidden channels

  constexpr SeparableBands(const SeparableGeometry& g, int batch) : rows(g.out_height) {
    while (images < batch && fits(g, images + 1, rows)) ++images;
    while (rows > 1 && !fits(g, 1, rows)) --rows;
    while (images > 1 && panel_count(batch, images) < kWanted && (images - 1) * g.out_height * g.out_width >= kFewColumns) --images;
    in_image = panel_count(g.out_height, rows);
    rows = panel_count(g.out_height, in_image);
    bands = panel_count(batch, images) * in_image;
    if (bands < kWanted) parts = std::min(panel_count(kWanted, std::max(bands, 1)), panel_count(g.hidden_channels, kPanelRows));
  }

  /// Rows of the hidden map that a band's rows read, at most; all of them where it has whole images.
  static constexpr int hidden_rows(const SeparableGeometry& g, int rows) {
    if (rows == g.out_height) return g.hidden_height;
    return std::min((rows - 1) * g.stride_height + (g.kernel_height - 1) * g.dilation_height + 1, g.hidden_height);
  }
  constexpr int tasks() const { return bands * parts; }
  /// Right panels of a band's hidden map, and of its output.
  constexpr int hidden_panels(const SeparableGeometry& g) const {
    if (g.phases() == 1) return panel_count(images * hidden_rows(g, rows) * g.hidden_width, kPanelColumns);
    const int row_before = rows < g.out_height ? 1 : 0;  // of the odd phases
    return 2 * panel_count(images * rows * g.out_width, kPanelColumns) + 2 * panel_count(images * (rows + row_before) * g.out_width, kPanelColumns);
  }
  constexpr int output_panels(const SeparableGeometry& g) const { return panel_count(images * rows * g.out_width, kPanelColumns); }
  /// Hidden channels that are made and used up at a time.
  constexpr int chunk(const SeparableGeometry& g) const {
    const int panels = std::clamp(kChunkFloats / (output_panels(g) * kPanelColumns * kPanelRows), 1, kCorrelationDepth / kPanelRows);
    return std::min(panels, panel_count(g.hidden_channels, kPanelRows)) * kPanelRows;
  }

  /// Floats for those, in bands of this size or smaller ones.
  constexpr std::size_t chunk_floats(const SeparableGeometry& g) const {
    const auto panels = static_cast<std::size_t>(output_panels(g));
    const std::size_t all = panels * static_cast<std::size_t>(right_panel_stride(panel_count(g.hidden_channels, kPanelRows) * kPanelRows));
    const std::size_t most = std::max(std::size_t{kChunkFloats}, panels * kPanelColumns * kPanelRows) + panels * kPanelColumns;
    return std::min(all, most);
  }

  static constexpr int kWanted = 8;
  static constexpr int kMostTasks = 14;  // with parts > 1

 private:
  static constexpr int kColumns = 1568;          // of a band's output: 28x56
  static constexpr int kInputFloats = 48 << 10;  // of its packed input
  static constexpr int kFewColumns = 192;        // that a band shall have, before there are enough bands
  static constexpr int kSumFloats = 64 << 10;    // of its sums
  static constexpr int kChunkFloats = 36 << 10;  // of its packed hidden channels

  static constexpr bool fits(const SeparableGeometry& g, int images, int rows) {
    const long hidden = static_cast<long>(images) * hidden_rows(g, rows) * g.hidden_width;
    const long columns = static_cast<long>(images) * rows * g.out_width;
    return columns * g.stride_height <= kColumns && (!g.expands || hidden * g.depth() <= kInputFloats) && columns * g.out_channels <= kSumFloats;
  }
};

/// What sums of so many 3x3 windows of maps without margins need (windows_3x3.hpp).
struct WindowsLayout {
  static constexpr int kSides = 4;
  int columns, width;

  constexpr int panels() const { return panel_count(columns, kPanelColumns); }
  /// A mask of the columns for each side of a map, and for eight columns together whether they need none.
  constexpr std::size_t floats() const { return static_cast<std::size_t>(panels()) * (kSides * kPanelColumns + 2); }
  /// How far before and behind a plane sums read.
  constexpr std::size_t reach() const { return static_cast<std::size_t>(width) + 1 + kPanelColumns; }
};

/// Where a thread's scratch has what a band needs, in floats.
struct SeparableScratch {
  std::size_t pieces = 0;               // of the input's columns
  std::size_t input = 0;                // packed columns of the input, where each task packs its own
  std::size_t planes = 0, plane = 0;    // of kPanelRows hidden channels, one after the other, with room around
  std::size_t edges = 0;                // of windows: what lies inside of the map
  std::size_t phases = 0, sums = 0;     // or one channel of an image in phases; of the band, summed
  std::size_t chunk = 0, partial = 0;   // packed columns of hidden channels; sums over the chunks before
  std::size_t floats = 0;

  constexpr SeparableScratch(const SeparableGeometry& g, const SeparableBands& bands) {
    constexpr std::size_t kBeyond = kLanesBeyond;
    const auto take = [&](std::size_t count) {
      const std::size_t begin = floats;
      floats += (count + 15) / 16 * 16;
      return begin;
    };
    const int panels = bands.output_panels(g);
    const WindowsLayout windows{panels * kPanelColumns, g.hidden_width};
    ConvGeometry band = g.depthwise();
    band.out_height = bands.rows;
    if (g.expands) {
      pieces = take(piece_floats(forward_correlation(g.expansion())));
      input = take(input_floats(g, bands));
      plane = static_cast<std::size_t>(bands.hidden_panels(g)) * kPanelColumns;
      const std::size_t room = (windows.reach() + 15) / 16 * 16;
      planes = take(room + plane * kPanelRows + room) + room;
    }
    if (g.has_3x3_windows()) {
      edges = take(windows.floats());
    } else {
      phases = take(DepthwiseLayout(band).input_floats() + kBeyond);
      sums = take(static_cast<std::size_t>(panels * kPanelColumns) + kBeyond);
    }
    chunk = take(bands.chunk_floats(g));
    partial = take(band_sums(g, bands));
  }

  /// The packed columns of a band's input.
  static constexpr std::size_t input_floats(const SeparableGeometry& g, const SeparableBands& bands) {
    return g.expands ? static_cast<std::size_t>(bands.hidden_panels(g)) * static_cast<std::size_t>(right_panel_stride(g.depth())) : 0;
  }
  /// Sums of a band for all output channels.
  static constexpr std::size_t band_sums(const SeparableGeometry& g, const SeparableBands& bands) {
    return left_panel_floats(g.out_channels, 1) * static_cast<std::size_t>(bands.output_panels(g) * kPanelColumns);
  }

 private:
  static constexpr std::size_t kLanesBeyond = 8;  // what vectors reach beyond the end
};

/// Floats that `separable` and `inverted_residual` need for batches of up to `batch`, with prepared weights.
constexpr ScratchSize separable_prepared_scratch(const SeparableGeometry& g, int batch) {
  const SeparableBands bands(g, batch);
  return {.per_thread = SeparableScratch(g, bands).floats,
          .shared = SeparableBands::kWanted * SeparableScratch::input_floats(g, bands) +
                    SeparableBands::kMostTasks * SeparableScratch::band_sums(g, bands)};
}
/// The same with weights as they are stored, which are then packed on each call.
constexpr ScratchSize separable_scratch(const SeparableGeometry& g, int batch) {
  ScratchSize size = separable_prepared_scratch(g, batch);
  size.shared += (g.expands ? conv_prepared_floats(g.expansion()) : 0) + conv_prepared_floats(g.projection());
  return size;
}

/// One of the convolutions: its weights, prepared by `conv_prepare` or not (those of the depthwise one never are), and what
/// becomes of its sums. Only the last one's may have an addend.
struct SeparablePart {
  ConvWeights weight;
  Epilogue epilogue = {};
};

/// output [.., out_channels, out_height, out_width] = projection(depthwise(input)), each with its epilogue. NB = 1. The output's
/// memory is not the input's; the addend's may be either.
void separable(Blocked output, const Loaded& input, const SeparablePart& depthwise, const SeparablePart& projection,
               const SeparableGeometry& geometry, int batch, const Scratch& scratch);

/// output = projection(depthwise(expansion(input))).
void inverted_residual(Blocked output, const Loaded& input, const SeparablePart& expansion, const SeparablePart& depthwise,
                       const SeparablePart& projection, const SeparableGeometry& geometry, int batch, const Scratch& scratch);

}  // namespace cnn
