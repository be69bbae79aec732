// Operands of the kernels on lanes, whose blocks are those of flat tensors.
#pragma once

#include "cnn/ops/lanes/layout.hpp"
#include "reference.hpp"

namespace cnn::tests {

/// A map's geometry as one of flat features.
inline MapGeometry on_lanes(int channels, int height, int width) {
  return {.channels = channels * height * width, .height = 1, .width = 1, .block = lanes::kImages};
}

/// Batches that make full and short blocks, some of at most half the lanes.
inline constexpr int kLaneBatches[] = {1, 5, 16, 29};

}  // namespace cnn::tests
