// The means of windows, for the kernels that pool by them. For their sources only.
#pragma once

#include "cnn/ops/windows.hpp"

namespace cnn {

/// How many places of a window count along one axis, at least 1 so that an empty window's mean is 0.
inline int counted(int output, int kernel, int stride, int pad, int size, bool count_include_pad) {
  const int begin = output * stride - pad;
  const int end = std::min(begin + kernel, size + pad);
  const int places = count_include_pad ? end - begin : std::min(end, size) - std::max(begin, 0);
  return std::max(places, 1);
}

inline int counted_rows(const PoolGeometry& g, int y) {
  return counted(y, g.kernel_height, g.stride_height, g.pad_top, g.in_height, g.count_include_pad);
}

/// The widths of the windows of outputs [begin, end) of a row.
inline void count_columns(float* widths, const PoolGeometry& g, int begin, int end) {
  for (int x = begin; x < end; ++x) {
    const int width = counted(x, g.kernel_width, g.stride_width, g.pad_left, g.in_width, g.count_include_pad);
    widths[x - begin] = static_cast<float>(width);
  }
}

/// Calls visit(the input of the first output that has it, index of that output in the piece, count) for each
/// place of the windows of outputs [begin, end) of row y.
template <class Image, class Stride, class Visit>
void for_each_place(Image* plane, const PoolGeometry& g, int y, int begin, int end, Stride stride,
                    Visit&& visit) {
  const int first_y = y * g.stride_height - g.pad_top;
  const int last_y = std::min(first_y + g.kernel_height, g.in_height);
  for (int tap_x = 0; tap_x < g.kernel_width; ++tap_x) {
    const PoolSpan span = pool_span(g, tap_x, begin, end, stride);
    if (span.begin == span.end) continue;
    for (int in_y = std::max(first_y, 0); in_y < last_y; ++in_y) {
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(in_y) * g.in_width + span.begin * stride;
      visit(plane + first + tap_x - g.pad_left, span.begin - begin, span.end - span.begin);
    }
  }
}

/// means = those of the windows of outputs [begin, end) of row y of a plane, whose widths count_columns()
/// found.
template <class Stride>
void find_means(float* means, const float* plane, const float* widths, const PoolGeometry& g, int y,
                int begin, int end, Stride stride) {
  float sums[kPoolPiece] = {};
  const auto add = [&](const float* __restrict in, int first, int count) {
    for (int i = 0; i < count; ++i) sums[first + i] += in[i * stride];
  };
  for_each_place(plane, g, y, begin, end, stride, add);
  const auto height = static_cast<float>(counted_rows(g, y));
  for (int i = 0; i < end - begin; ++i) means[i] = sums[i] / (height * widths[i]);
}

}  // namespace cnn
