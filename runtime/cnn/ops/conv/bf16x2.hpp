// Convolutions by tiles of bf16 numbers, on processors that multiply such (AMX: 16x32 by 32x16 numbers in sixteen cycles, sixteen times
// what their registers of sixteen floats do). Each factor is the sum of two bf16 numbers, and a product the sum of three: the
// product of both small parts is left out, so that an error is at most 2^-16 of the product (the scheme of Henry, Tang & Heinecke 2019,
// "Leveraging the bfloat16 artificial intelligence datatype for higher-precision computations").
//
// Nothing is gathered column by column. Maps are split once, channel by channel, into planes which have the padding; columns are the
// places of a plane, row after row, and those of another tap are the same some places further on, where a tile is loaded from. Columns
// whose row hangs over the edge are computed and dropped. A convolution of stride s has s x s planes for a channel. Where channels are
// few, taps become channels of their own.
#pragma once

#include <algorithm>

#include "cnn/ops/conv/plane_axis.hpp"
#include "cnn/ops/conv_siblings.hpp"

namespace cnn::bf16x2 {

inline constexpr int kTile = 16;       // rows and columns of a tile of sums
inline constexpr int kTileDepth = 32;  // steps of the depth of a tile of factors
inline constexpr std::ptrdiff_t kTileFloats = kTile * kTileDepth / 2;  // of a tile of factors, 1024 bytes

/// How a correlation becomes products of tiles.
struct Layout {
  PlaneAxis vertical, horizontal;
  bool spread_vertical, spread_horizontal;
  int channels;       // with those that taps became
  int sets;           // of planes of all channels: one for each phase that is no channel
  int blocks;         // of 32 channels
  int taps;           // that are left

  constexpr Layout(const Correlation& c, bool spread_vertical, bool spread_horizontal)
      : vertical(c.vertical, spread_vertical),
        horizontal(c.horizontal, spread_horizontal),
        spread_vertical(spread_vertical),
        spread_horizontal(spread_horizontal),
        channels(c.in_channels * (spread_vertical ? vertical.planes : 1) * (spread_horizontal ? horizontal.planes : 1)),
        sets((spread_vertical ? 1 : vertical.planes) * (spread_horizontal ? 1 : horizontal.planes)),
        blocks(panel_count(channels, kTileDepth)),
        taps(vertical.taps * horizontal.taps) {}

  constexpr int steps() const { return taps * blocks; }                       // products of tiles for a tile of sums
  /// Where no tap shifts columns, sixteen of them lie side by side in a tile, and sums come out as the target has them. Else columns are rows of
  /// 32 channels one below the other, from any of which a tile can begin, and maps are turned over on the way in and out.
  constexpr bool side_by_side() const { return taps == 1; }
  constexpr int width() const { return horizontal.extent; }                   // places of a plane's row
  constexpr int reach() const { return vertical.reach() * width() + horizontal.reach(); }
  /// The set of planes that a tap of those left reads, and how many places further on.
  constexpr int set_of(int y, int x) const {
    return (spread_vertical ? 0 : vertical.plane[y]) * sets_across() + (spread_horizontal ? 0 : horizontal.plane[x]);
  }
  constexpr int offset_of(int y, int x) const { return vertical.offset[y] * width() + horizontal.offset[x]; }
  constexpr int sets_across() const { return spread_horizontal ? 1 : horizontal.planes; }
  /// Columns of an image: the rows that have outputs, without what hangs over the last one.
  constexpr int columns(const Correlation& c) const {
    return c.outputs() == 0 ? 0 : (c.vertical.count - 1) * width() + c.horizontal.count;
  }
  /// Planes' floats for each place: two channels' bf16 numbers, twice, are two floats.
  constexpr int plane_channels() const { return sets * blocks * kTileDepth; }
};

/// Taps become channels where that needs less time: 32 channels of a step are paid for, whether they are there or not.
constexpr Layout layout_of(const Correlation& c) {
  const auto cost = [&](const Layout& layout) {
    return static_cast<long>(layout.steps()) * panel_count(c.out_channels, kTile) * 6 + layout.plane_channels();
  };
  Layout best(c, false, false);
  if (c.in_channels >= kTileDepth || c.taps() <= 1) return best;
  for (const bool vertical : {false, true}) {
    const Layout other(c, vertical, true);
    if (cost(other) < cost(best)) best = other;
  }
  return best;
}

inline constexpr std::ptrdiff_t kMostPlaneFloats = 5 << 15;  // of a task: 640 KiB of a second-level cache of two megabytes
inline constexpr std::ptrdiff_t kMostSharedPlanes = 1 << 20;
inline constexpr int kWanted = 8;                            // tasks

/// How the columns of a batch are cut: a task has some images, or some tiles of one image's columns; where those are few, rows are cut
/// into parts, which share the planes of the whole batch.
struct Cut {
  int image_tiles = 0;  // of an image
  int images = 1;       // of a task
  int bands = 1;        // of an image
  int row_parts = 1;
  int groups = 0;       // of images
  bool shared = false;

  /// Whether each task splits the weights of its rows itself: no other task needs them.
  constexpr bool own_weights() const { return shared && groups == 1; }

  constexpr Cut(const Correlation& c, const Layout& layout, int batch) : image_tiles(panel_count(layout.columns(c), kTile)) {
    if (image_tiles == 0) return;
    const std::ptrdiff_t whole = floats(layout, image_tiles, 1);
    if (whole <= kMostPlaneFloats) {
      images = std::max(std::min(panel_count(most_places(layout), image_tiles * kTile + layout.reach()) - 1, batch / kWanted), 1);
    } else {
      const int tiles = std::max((most_places(layout) - layout.reach()) / kTile, 2);
      bands = panel_count(image_tiles, tiles);
    }
    groups = panel_count(batch, images);
    if (groups * bands >= kWanted) return;
    const int more = panel_count(kWanted, groups * bands);
    const std::ptrdiff_t all = floats(layout, image_tiles, batch);
    if (bands == 1 && weights(c, layout) > all && all <= kMostSharedPlanes) {
      shared = true;
      row_parts = std::min(more, panel_count(c.out_channels, 2 * kTile));
    } else {
      bands = std::min(bands * more, panel_count(image_tiles, 2));
    }
  }

  /// Of the planes of `tiles` tiles of columns of so many images.
  static constexpr std::ptrdiff_t floats(const Layout& layout, int tiles, int images) {
    return layout.plane_channels() * pitch_of(static_cast<std::ptrdiff_t>(images) * (tiles * kTile + layout.reach()));
  }
  static constexpr std::ptrdiff_t weights(const Correlation& c, const Layout& layout) {
    return static_cast<std::ptrdiff_t>(layout.steps()) * kTileDepth * c.out_channels;
  }
  constexpr int tasks() const { return groups * bands * row_parts; }

 private:
  /// As many places as a task's planes may have; pitch_of adds up to 31. Without taps there is nothing to read.
  static constexpr int most_places(const Layout& layout) { return static_cast<int>(kMostPlaneFloats / std::max(layout.plane_channels(), 1)) - 31; }
};

/// Floats of weights as tiles: [tile of rows][step][large parts, small parts][row][32 steps].
constexpr std::size_t weights_floats(const Correlation& c, const Layout& layout) {
  return static_cast<std::size_t>(panel_count(c.out_channels, kTile)) * kTile * static_cast<std::size_t>(layout.steps()) * kTileDepth;
}

constexpr std::size_t conv_prepared_floats(const ConvGeometry& g) {
  const Correlation c = forward_correlation(g);
  return weights_floats(c, layout_of(c));
}

/// For batches of any size up to `batch`: planes for each thread, or a tile of rows of weights; planes that are shared.
constexpr ScratchSize correlation_scratch(const Correlation& c, int batch) {
  const Layout layout = layout_of(c);
  const int tiles = panel_count(layout.columns(c), kTile);
  if (tiles == 0) return {};
  const std::ptrdiff_t of_task = std::min(Cut::floats(layout, tiles, batch), std::max(kMostPlaneFloats, Cut::floats(layout, 2, 1)));
  const std::ptrdiff_t of_rows = static_cast<std::ptrdiff_t>(layout.steps()) * kTile * kTileDepth;
  return {.per_thread = static_cast<std::size_t>(std::max(of_task, of_rows)),
          .shared = static_cast<std::size_t>(
              std::min({Cut::floats(layout, tiles, std::min(batch, kWanted - 1)), kMostSharedPlanes, Cut::weights(c, layout)}))};
}

constexpr ScratchSize conv_prepared_scratch(const ConvGeometry& g, int batch) { return correlation_scratch(forward_correlation(g), batch); }

constexpr ScratchSize conv_scratch(const ConvGeometry& g, int batch) {
  ScratchSize size = bf16x2::conv_prepared_scratch(g, batch);
  size.shared += bf16x2::conv_prepared_floats(g);
  return size;
}

constexpr ScratchSize conv_backward_input_scratch(const ConvGeometry& g, int batch) {
  ScratchSize size;
  for (int phase = 0; phase < conv_phases(g); ++phase) {
    const Correlation c = backward_correlation(g, phase);
    ScratchSize own = correlation_scratch(c, batch);
    own.shared += weights_floats(c, layout_of(c));
    size.per_thread = std::max(size.per_thread, own.per_thread);
    size.shared = std::max(size.shared, own.shared);
  }
  return size;
}

/// How backward-params is cut. The depth of its products are places, 32 at a time, of some images or of some rows of one; a task sums up the gradients of
/// some channels and some outputs, over a slot of the places.
struct GradientCut {
  static constexpr int kMostOut = 256;
  static constexpr std::ptrdiff_t kMostSums = 5 << 15, kMostFactors = 6 << 15;  // floats

  Layout layout;
  int out_chunk = 0, channel_chunk = 0;    // of a task, in whole tiles
  int out_chunks = 0, channel_chunks = 0;
  int slots = 1;
  int image_steps = 0;                     // of 32 places of an image
  int most_steps = 0;                      // of a block

  constexpr explicit GradientCut(const ConvGeometry& g) : layout(layout_of(forward_correlation(g))) {
    const Correlation c = forward_correlation(g);
    const int out = whole(c.out_channels, kTile), channels = whole(layout.channels, kTile);
    out_chunk = std::min(out, kMostOut);
    out_chunks = panel_count(out, out_chunk);
    const int fitting = static_cast<int>(kMostSums / (out_chunk * layout.taps));
    channel_chunk = std::min(channels, std::clamp(fitting / (2 * kTile) * (2 * kTile), 2 * kTile, kMostOut));
    channel_chunks = panel_count(channels, channel_chunk);
    const std::ptrdiff_t weights = static_cast<std::ptrdiff_t>(g.out_channels) * g.depth();
    slots = static_cast<int>(std::clamp<std::ptrdiff_t>((1 << 20) / weights, 1, panel_count(kWanted, out_chunks * channel_chunks)));
    image_steps = panel_count(layout.columns(c), kTileDepth);
    most_steps = static_cast<int>(std::max<std::ptrdiff_t>(kMostFactors / floats_of_step(), 4));
  }
  /// Steps of an image that a block takes, and images of those it takes as a whole.
  constexpr int block_steps() const { return std::min(most_steps, image_steps); }
  constexpr int images(int batch) const {
    return image_steps == 0 ? 1 : std::clamp(most_steps / image_steps, 1, std::max(batch / slots, 1));
  }
  constexpr int bands() const { return panel_count(image_steps, block_steps()); }
  /// Places of a channel's plane of an image in a block: an odd number of cache lines of bf16 numbers.
  constexpr int places() const { return (panel_count(block_steps() * kTileDepth + layout.reach(), kTileDepth) | 1) * kTileDepth; }
  constexpr std::ptrdiff_t planes_floats(int batch) const {
    return static_cast<std::ptrdiff_t>(layout.sets) * channel_chunk * images(batch) * places();
  }
  constexpr std::ptrdiff_t outputs_floats(int batch) const { return static_cast<std::ptrdiff_t>(out_chunk) * images(batch) * block_steps() * kTileDepth; }
  constexpr std::ptrdiff_t sums_floats() const { return static_cast<std::ptrdiff_t>(out_chunk) * channel_chunk * layout.taps; }

 private:
  static constexpr int whole(int count, int of) { return panel_count(count, of) * of; }
  constexpr std::ptrdiff_t floats_of_step() const {
    return static_cast<std::ptrdiff_t>(kTileDepth) * (layout.sets * channel_chunk + out_chunk);
  }
};

constexpr ScratchSize conv_backward_params_scratch(const ConvGeometry& g, int batch) {
  const GradientCut cut(g);
  return {.per_thread = static_cast<std::size_t>(cut.planes_floats(batch) + cut.outputs_floats(batch) + cut.sums_floats()),
          .shared = static_cast<std::size_t>(cut.slots - 1) * static_cast<std::size_t>(g.out_channels) * static_cast<std::size_t>(g.depth())};
}

constexpr ScratchSize conv_siblings_prepared_scratch(const SiblingsGeometry& g, int batch) {
  return correlation_scratch(siblings_correlation(g), batch);
}
constexpr ScratchSize conv_siblings_scratch(const SiblingsGeometry& g, int batch) {
  ScratchSize size = bf16x2::conv_siblings_prepared_scratch(g, batch);
  for (int number = 0; number < kMostSiblings && g.out_channels[number] > 0; ++number) {
    size.shared += bf16x2::conv_prepared_floats(g.sibling(number));
  }
  return size;
}
constexpr ScratchSize conv_siblings_backward_input_scratch(const SiblingsGeometry& g, int batch) {
  const Correlation c = siblings_backward_correlation(g);
  ScratchSize size = correlation_scratch(c, batch);
  size.shared += weights_floats(c, layout_of(c));
  return size;
}

/// As cnn::conv and its backward passes, where has_planes(geometry).
void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue,
          const ConvGeometry& geometry, int batch, const Scratch& scratch);
void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);
void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& geometry, int batch,
                         const Scratch& scratch);
void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& geometry, int batch,
                          const Scratch& scratch);
void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input, const ConvGeometry& geometry,
                          int batch, const Scratch& scratch);

/// As cnn::conv_siblings and its gradient; prepared weights are those of conv_prepare above.
void conv_siblings(std::initializer_list<ConvSibling> siblings, const Loaded& input, const SiblingsGeometry& geometry, int batch,
                   const Scratch& scratch);
void conv_siblings_backward_input(const Result& d_input, std::initializer_list<SiblingGradient> siblings, const SiblingsGeometry& geometry,
                                  int batch, const Scratch& scratch);

}  // namespace cnn::bf16x2
