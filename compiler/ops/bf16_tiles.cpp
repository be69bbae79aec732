// The sizes are those of runtime/cnn/ops/conv/bf16x2.hpp, which says what they are of: generated code asserts that they agree.
#include "ops/bf16_tiles.hpp"

#include <algorithm>
#include <numeric>

#include "ops/correlation.hpp"
#include "ops/window.hpp"

namespace cnnc::ops {

namespace {

constexpr std::int64_t kTile = 16, kTileDepth = 32, kWanted = 8;
constexpr std::int64_t kMostPlaneFloats = 5 << 15, kMostSharedPlanes = 1 << 20;

// cnn::bf16x2::Layout.
struct Layout {
  PlaneAxis vertical, horizontal;
  std::int64_t channels, sets, blocks, taps;

  Layout(const Correlation& c, bool spread_vertical, bool spread_horizontal)
      : vertical(c.vertical, spread_vertical),
        horizontal(c.horizontal, spread_horizontal),
        channels(c.in * (spread_vertical ? vertical.planes : 1) * (spread_horizontal ? horizontal.planes : 1)),
        sets((spread_vertical ? 1 : vertical.planes) * (spread_horizontal ? 1 : horizontal.planes)),
        blocks(pieces(channels, kTileDepth)),
        taps(vertical.taps * horizontal.taps) {}

  std::int64_t steps() const { return taps * blocks; }
  std::int64_t reach() const { return vertical.reach * horizontal.extent + horizontal.reach; }
  std::int64_t plane_channels() const { return sets * blocks * kTileDepth; }
  std::int64_t columns(const Correlation& c) const {
    return c.vertical.count * c.horizontal.count == 0 ? 0 : (c.vertical.count - 1) * horizontal.extent + c.horizontal.count;
  }
};

Layout layout_of(const Correlation& c) {
  const auto cost = [&](const Layout& layout) { return layout.steps() * pieces(c.out, kTile) * 6 + layout.plane_channels(); };
  Layout best(c, false, false);
  if (c.in >= kTileDepth || c.vertical.reads.size() * c.horizontal.reads.size() <= 1) return best;
  for (const bool vertical : {false, true}) {
    const Layout other(c, vertical, true);
    if (cost(other) < cost(best)) best = other;
  }
  return best;
}

// cnn::bf16x2::Cut::floats.
std::int64_t plane_floats(const Layout& layout, std::int64_t tiles, std::int64_t images) {
  const std::int64_t places = images * (tiles * kTile + layout.reach());
  return layout.plane_channels() * ((pieces(places, kTile) | 1) * kTile);
}

// cnn::bf16x2::weights_floats.
std::int64_t weights_floats(const Correlation& c, const Layout& layout) {
  return whole(c.out, kTile) * layout.steps() * kTileDepth;
}

// cnn::bf16x2::correlation_scratch.
ir::ScratchSize correlation_scratch(const Correlation& c, std::int64_t batch) {
  const Layout layout = layout_of(c);
  const std::int64_t tiles = pieces(layout.columns(c), kTile);
  if (tiles == 0) return {};
  const std::int64_t of_task = std::min(plane_floats(layout, tiles, batch), std::max(kMostPlaneFloats, plane_floats(layout, 2, 1)));
  return {.per_thread = std::max(of_task, layout.steps() * kTile * kTileDepth),
          .shared = std::min({plane_floats(layout, tiles, std::min(batch, kWanted - 1)), kMostSharedPlanes, layout.steps() * kTileDepth * c.out})};
}

// cnn::bf16x2::GradientCut.
struct GradientCut {
  static constexpr std::int64_t kMostOut = 256, kMostSums = 5 << 15, kMostFactors = 6 << 15;

  Layout layout;
  std::int64_t out_chunk, channel_chunk, slots, image_steps, most_steps;

  explicit GradientCut(const Correlation& c) : layout(layout_of(c)) {
    const std::int64_t out = whole(c.out, kTile), channels = whole(layout.channels, kTile);
    out_chunk = std::min(out, kMostOut);
    const std::int64_t fitting = kMostSums / (out_chunk * layout.taps);
    channel_chunk = std::min(channels, std::clamp(fitting / (2 * kTile) * (2 * kTile), 2 * kTile, kMostOut));
    const std::int64_t tasks = pieces(out, out_chunk) * pieces(channels, channel_chunk);
    slots = std::clamp<std::int64_t>((1 << 20) / weights(c), 1, pieces(kWanted, tasks));
    image_steps = pieces(layout.columns(c), kTileDepth);
    most_steps = std::max<std::int64_t>(kMostFactors / (kTileDepth * (layout.sets * channel_chunk + out_chunk)), 4);
  }
  static std::int64_t weights(const Correlation& c) {
    return c.out * c.in * static_cast<std::int64_t>(c.vertical.reads.size() * c.horizontal.reads.size());
  }
  ir::ScratchSize scratch(const Correlation& c, std::int64_t batch) const {
    const std::int64_t steps = std::min(most_steps, image_steps);
    const std::int64_t images = std::clamp<std::int64_t>(most_steps / image_steps, 1, std::max<std::int64_t>(batch / slots, 1));
    const std::int64_t places = (pieces(steps * kTileDepth + layout.reach(), kTileDepth) | 1) * kTileDepth;
    return {.per_thread = layout.sets * channel_chunk * images * places + out_chunk * images * steps * kTileDepth +
                          out_chunk * channel_chunk * layout.taps,
            .shared = (slots - 1) * weights(c)};
  }
};

}  // namespace

ir::ScratchSize larger(const ir::ScratchSize& one, const ir::ScratchSize& other) {
  const auto least = [](const ir::ScratchSize& size) { return size.least_shared > 0 ? size.least_shared : size.shared; };
  ir::ScratchSize size{.per_thread = std::max(one.per_thread, other.per_thread), .shared = std::max(one.shared, other.shared)};
  size.least_shared = std::max(least(one), least(other));
  if (size.least_shared == size.shared) size.least_shared = 0;
  return size;
}

std::int64_t tiles_prepared_floats(const ir::OpContext& context) {
  const Correlation c = ConvolutionCorrelations(context).forward();
  return weights_floats(c, layout_of(c));
}

ir::ScratchSize tiles_prepared_scratch(const ir::OpContext& context) {
  return correlation_scratch(ConvolutionCorrelations(context).forward(), context.batch);
}

ir::ScratchSize tiles_forward_scratch(const ir::OpContext& context) {
  ir::ScratchSize size = tiles_prepared_scratch(context);
  size.shared += tiles_prepared_floats(context);
  return size;
}

ir::ScratchSize tiles_backward_input_scratch(const ir::OpContext& context) {
  const ConvolutionCorrelations shape(context);
  ir::ScratchSize size;
  for (std::int64_t phase = 0; phase < shape.phases(); ++phase) {
    const Correlation c = shape.backward(phase);
    const ir::ScratchSize own = correlation_scratch(c, context.batch);
    size.per_thread = std::max(size.per_thread, own.per_thread);
    size.shared = std::max(size.shared, own.shared + weights_floats(c, layout_of(c)));
  }
  return size;
}

ir::ScratchSize tiles_backward_params_scratch(const ir::OpContext& context) {
  const Correlation c = ConvolutionCorrelations(context).forward();
  return GradientCut(c).scratch(c, context.batch);
}

SiblingsScratch tiles_of_siblings(const ir::OpContext& context, std::span<const std::int64_t> out_channels) {
  const ConvolutionCorrelations shape(context);
  Correlation forward = shape.forward();
  // Forward, each convolution's weights begin with a panel of six rows in the other kernels, and rows are counted so.
  constexpr std::int64_t kPanelRows = 6;
  forward.out = 0;
  std::int64_t weights = 0;
  for (const std::int64_t channels : out_channels) {
    forward.out += whole(channels, kPanelRows);
    weights += whole(channels, kTile) * layout_of(forward).steps() * kTileDepth;
  }
  Correlation backward = shape.backward(0);
  backward.in = std::accumulate(out_channels.begin(), out_channels.end(), std::int64_t{0});
  SiblingsScratch sizes{.forward = {}, .prepared = correlation_scratch(forward, context.batch), .backward_input = correlation_scratch(backward, context.batch)};
  sizes.forward = sizes.prepared;
  sizes.forward.shared += weights;
  sizes.backward_input.shared += weights_floats(backward, layout_of(backward));
  return sizes;
}

}  // namespace cnnc::ops
