// How pools walk over the places of lanes: windows of whole sixteens. For their sources only.
#pragma once

#include "cnn/ops/lanes/lanes.hpp"
#include "cnn/ops/pool.hpp"

namespace cnn::lanes {

/// Calls `work(block, plane)` for each block's channels, as tiles of the team.
template <class Work>
void for_each_plane(const PoolGeometry& g, int batch, Work&& work) {
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  for_each_range(batch, g.channels, units_in_tile(g.channels, 8 * plane), [&](int block, int begin, int end) {
    for (std::ptrdiff_t channel = begin; channel < end; ++channel) work(block, channel);
  });
}

/// Places [begin, end) of a window on one axis, those in the input.
struct PoolRange {
  int begin, end;
};
inline PoolRange pool_range(int output, int kernel, int stride, int pad, int size) {
  const int first = output * stride - pad;
  return {std::max(first, 0), std::min(first + kernel, size)};
}

/// Whether each place of the input is in one window, so that backward can write where it else would add.
inline bool windows_tile(const PoolGeometry& g) {
  return g.stride_height == g.kernel_height && g.stride_width == g.kernel_width && g.pad_top == 0 && g.pad_left == 0 &&
         g.out_height * g.stride_height == g.in_height && g.out_width * g.stride_width == g.in_width;
}

/// Calls `work(offset of the output, lines, columns, y, x)` for each window of a plane, with the places it has in the input.
template <class Work>
[[gnu::always_inline]] inline void for_each_window(const PoolGeometry& g, Work&& work) {
  std::ptrdiff_t output = 0;
  for (int y = 0; y < g.out_height; ++y) {
    const PoolRange lines = pool_range(y, g.kernel_height, g.stride_height, g.pad_top, g.in_height);
    for (int x = 0; x < g.out_width; ++x, output += kImages)
      work(output, lines, pool_range(x, g.kernel_width, g.stride_width, g.pad_left, g.in_width), y, x);
  }
}

}  // namespace cnn::lanes
