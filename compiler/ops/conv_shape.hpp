// A convolution's numbers, and how runtime/cnn/ops/conv cuts its work: what both the sizes of scratch and the cost model depend on.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ir/op_def.hpp"
#include "ops/correlation.hpp"
#include "ops/window.hpp"

namespace cnnc::ops {

// As in runtime/cnn/core/panels.hpp and runtime/cnn/ops/conv.
inline constexpr std::int64_t kPanelRows = 6, kPanelColumns = 16;
inline constexpr std::int64_t kDepth = 256;  // of a right panel
inline constexpr std::int64_t kInputs = 6, kPoints = kInputs * kInputs, kFewInputs = 4;
inline constexpr std::int64_t kWanted = 8;   // tasks of a convolution that has enough to do

/// A convolution's numbers.
struct ConvShape {
  std::int64_t in, out, groups, taps;
  WindowAxis height, width;
  std::int64_t in_height, in_width, block;

  explicit ConvShape(const ir::OpContext& context)
      : in(context.inputs[0].channels),
        out(context.output.channels),
        groups(context.arguments.integer("groups")),
        taps(0),
        in_height(context.inputs[0].height),
        in_width(context.inputs[0].width),
        block(context.block) {
    const Window w = std::get<Window>(window("conv", context.inputs[0], context.arguments));
    height = w.height;
    width = w.width;
    taps = height.kernel * width.kernel;
  }

  std::int64_t group_in() const { return in / groups; }
  std::int64_t group_out() const { return out / groups; }
  std::int64_t depth() const { return group_in() * taps; }
  std::int64_t pixels() const { return height.out * width.out; }
  bool pointwise() const {
    return taps == 1 && height.stride == 1 && width.stride == 1 && height.pad == 0 && width.pad == 0 &&
           height.out == in_height && width.out == in_width;
  }
};

/// Winograd's tiles of an image's map.
constexpr std::int64_t tiles_of(std::int64_t height, std::int64_t width, std::int64_t outputs) {
  return pieces(height, outputs) * pieces(width, outputs);
}

/// cnn::winograd::Blocks::is_heavy.
constexpr bool has_heavy_weights(std::int64_t in, std::int64_t out) {
  return in * out > 1 << 14;
}

/// cnn::winograd::Blocks of `tiles` tiles.
struct WinogradBlocks {
  std::int64_t panels;    // of tiles
  std::int64_t of_block;  // the most of them in a block
  std::int64_t parts;     // of the rows, at most
  bool heavy;
  std::int64_t most_own;  // blocks whose tasks transform their own weights, at most

  constexpr WinogradBlocks(std::int64_t in, std::int64_t out, std::int64_t tiles)
      : panels(pieces(tiles, kPanelColumns)),
        of_block(std::clamp<std::int64_t>(4096 / (in + out) / kPanelColumns, 4, 8)),
        parts(pieces(pieces(out, kPanelRows), 8)),
        heavy(has_heavy_weights(in, out)),
        most_own(heavy && parts > 1 ? std::clamp<std::int64_t>(in * out >> 16, 1, 4) : 0) {}

  constexpr bool own_weights() const { return pieces(panels, of_block) <= most_own; }
  constexpr std::int64_t tasks() const {
    std::int64_t blocks = pieces(panels, of_block);
    if (!own_weights()) {
      if (blocks < kWanted) blocks = std::min(panels, kWanted);
      if (heavy || blocks >= kWanted) return blocks;
    }
    return blocks * std::min(pieces(kWanted, blocks), parts);
  }
};

}  // namespace cnnc::ops
