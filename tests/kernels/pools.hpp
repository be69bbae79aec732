// Shapes on which the pools are tested.
#pragma once

#include "reference.hpp"

namespace cnn::tests {

inline MapGeometry pool_input(const PoolGeometry& g) {
  return {g.channels, g.in_height, g.in_width, g.block};
}
inline MapGeometry pool_output(const PoolGeometry& g) {
  return {g.channels, g.out_height, g.out_width, g.block};
}
inline std::size_t size_of(const MapGeometry& g, int batch) {
  return static_cast<std::size_t>(g.elements() * batch);
}

/// Calls check(geometry, batch) for windows on maps; stops at a fatal failure.
template <class Check>
void for_each_pool(Check&& check) {
  int checked = 0;
  for (const auto& [height, width] : {std::pair{1, 1}, {3, 7}, {7, 3}, {13, 13}, {2, 150}}) {
    for (const auto& [kernel_height, kernel_width] : {std::pair{1, 1}, {2, 2}, {3, 3}, {2, 5}}) {
      for (int stride = 1; stride <= 3; ++stride) {
        for (const int pad : {0, 1, kernel_height / 2 + 1}) {
          for (const bool ceil : {false, true}) {
            for (const Batching& batching : kBatchings) {
              PoolGeometry g;
              g.channels = 3, g.in_height = height, g.in_width = width, g.block = batching.block;
              g.kernel_height = kernel_height, g.kernel_width = kernel_width;
              g.stride_height = stride, g.stride_width = stride == 2 && ceil ? 1 : stride;
              g.pad_top = pad, g.pad_left = pad == 1 ? 0 : pad;
              if (!reference::complete(g, ceil)) continue;
              SCOPED_TRACE(testing::Message()
                           << height << "x" << width << " kernel " << kernel_height << "x" << kernel_width
                           << " stride " << stride << " pad " << pad << " ceil " << ceil << " NB " << g.block
                           << " batch " << batching.batch);
              check(g, batching.batch);
              ++checked;
              if (testing::Test::HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
  EXPECT_GT(checked, 1000);
}

/// A map of 6x6, and windows for which PyTorch 1.13 said what comes out.
inline Doubles pytorch_input() {
  return {-11, -1, 0,  -8, -2, -5,  6,  8, 1,  8,  6,  -5, -2, -8, 0, -1, -11, -7,
          11,  -3, -3, 11, -7, -11, -1, 0, -8, -2, -5, 6,  8,  1,  8, 6,  -5,  -2};
}
/// max_pool2d(kernel_size=(3, 2), stride=(2, 3), padding=(1, 1), ceil_mode=True), and avg_pool2d.
inline PoolGeometry pytorch_ceil_pool() {
  PoolGeometry g;
  g.channels = 1, g.in_height = g.in_width = 6, g.kernel_height = 3, g.kernel_width = 2;
  g.stride_height = 2, g.stride_width = 3, g.pad_top = g.pad_left = 1;
  EXPECT_TRUE(reference::complete(g, true));
  return g;
}
/// Windows 3x3 of stride 2 after pad(input, (0, 1, 0, 1)): padding below and right alone.
inline PoolGeometry pytorch_asymmetric_pool() {
  PoolGeometry g;
  g.channels = 1, g.in_height = g.in_width = 6, g.kernel_height = g.kernel_width = 3;
  g.stride_height = g.stride_width = 2, g.out_height = g.out_width = 3;
  return g;
}

/// Windows that overlap, with padding and an overhang.
inline PoolGeometry overlapping_pool() {
  PoolGeometry g;
  g.channels = 2, g.in_height = 6, g.in_width = 7, g.block = 2;
  g.kernel_height = 3, g.kernel_width = 3, g.stride_height = 2, g.stride_width = 2, g.pad_top = 1,
  g.pad_left = 1;
  EXPECT_TRUE(reference::complete(g, true));
  return g;
}

}  // namespace cnn::tests
