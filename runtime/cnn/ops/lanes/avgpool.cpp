// Window by window, sixteen images at a time.
#include "cnn/ops/lanes/avgpool.hpp"

#include "cnn/ops/lanes/pools.hpp"
#include "cnn/ops/windows.hpp"

namespace cnn::lanes {

namespace {

// What each place of a window counts.
float share(const PoolGeometry& g, int y, int x) {
  const int lines = counted(y, g.kernel_height, g.stride_height, g.pad_top, g.in_height, g.count_include_pad);
  const int columns = counted(x, g.kernel_width, g.stride_width, g.pad_left, g.in_width, g.count_include_pad);
  return 1 / static_cast<float>(lines * columns);
}

// The gradient of a plane; where windows overlap or leave places out, d_input is zero so far.
template <bool kTiled>
void spread(float* d_input, const float* d_output, const PoolGeometry& g) {
  for_each_window(g, [&](std::ptrdiff_t output, PoolRange lines, PoolRange columns, int y, int x) {
    const float part = share(g, y, x);
    const Images parts = load_images(d_output + output) * part;
    for (int line = lines.begin; line < lines.end; ++line) {
      float* to = d_input + (static_cast<std::ptrdiff_t>(line) * g.in_width + columns.begin) * kImages;
      for (int column = columns.begin; column < columns.end; ++column, to += kImages) {
        if constexpr (kTiled) {
          store_images(to, parts);
        } else {
          Images sum = load_images(to);
          sum += parts;
          store_images(to, sum);
        }
      }
    }
  });
}

}  // namespace

void avgpool(Blocked output, ConstBlocked input, const PoolGeometry& g, int batch) {
  const std::ptrdiff_t in_plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * kImages;
  const std::ptrdiff_t out_plane = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width * kImages;
  for_each_plane(g, batch, [&](int block, std::ptrdiff_t plane) {
    const float* in = input.block(block) + plane * in_plane;
    float* out = output.block(block) + plane * out_plane;
    for_each_window(g, [&](std::ptrdiff_t place, PoolRange lines, PoolRange columns, int y, int x) {
      Images sum = {};
      for (int line = lines.begin; line < lines.end; ++line) {
        const float* from = in + (static_cast<std::ptrdiff_t>(line) * g.in_width + columns.begin) * kImages;
        for (int column = columns.begin; column < columns.end; ++column, from += kImages) sum += load_images(from);
      }
      store_images(out + place, sum * share(g, y, x));
    });
  });
}

void avgpool_backward_input(Blocked d_input, ConstBlocked d_output, const PoolGeometry& g, int batch) {
  const std::ptrdiff_t in_plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * kImages;
  const std::ptrdiff_t out_plane = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width * kImages;
  const bool tiled = windows_tile(g);
  for_each_plane(g, batch, [&](int block, std::ptrdiff_t plane) {
    float* d_in = d_input.block(block) + plane * in_plane;
    const float* d_out = d_output.block(block) + plane * out_plane;
    if (tiled) return spread<true>(d_in, d_out, g);
    std::fill_n(d_in, in_plane, 0.0f);
    spread<false>(d_in, d_out, g);
  });
}

}  // namespace cnn::lanes
