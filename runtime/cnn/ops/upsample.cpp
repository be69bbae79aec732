// Larger maps by repeating pixels, a row at a time.
#include "cnn/ops/upsample.hpp"

#include <algorithm>

#include "cnn/ops/tiles.hpp"

namespace cnn {

void upsample(Blocked output, ConstBlocked input, const UpsampleGeometry& g, int batch) {
  const std::ptrdiff_t in_pixels = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t out_width = static_cast<std::ptrdiff_t>(g.in_width) * g.horizontal;
  const std::ptrdiff_t out_pixels = in_pixels * g.vertical * g.horizontal;
  for_each_map_plane({g.channels, g.in_height, g.in_width, g.block}, batch,
                     [&](int block, std::ptrdiff_t plane) {
                       const float* in = input.block(block) + plane * in_pixels;
                       float* out = output.block(block) + plane * out_pixels;
                       for (int y = 0; y < g.in_height; ++y, in += g.in_width) {
                         const float* const row = out;
                         for (int x = 0; x < g.in_width; ++x) out = std::fill_n(out, g.horizontal, in[x]);
                         for (int i = 1; i < g.vertical; ++i) out = std::copy_n(row, out_width, out);
                       }
                     });
}

void upsample_backward_input(Blocked d_input, ConstBlocked d_output, const UpsampleGeometry& g, int batch) {
  const std::ptrdiff_t in_pixels = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t out_pixels = in_pixels * g.vertical * g.horizontal;
  for_each_map_plane({g.channels, g.in_height, g.in_width, g.block}, batch,
                     [&](int block, std::ptrdiff_t plane) {
                       const float* from = d_output.block(block) + plane * out_pixels;
                       float* to = d_input.block(block) + plane * in_pixels;
                       for (int y = 0; y < g.in_height; ++y, to += g.in_width) {
                         std::fill_n(to, g.in_width, 0.0f);
                         for (int i = 0; i < g.vertical; ++i) {
                           for (int x = 0; x < g.in_width; ++x, from += g.horizontal) {
                             for (int j = 0; j < g.horizontal; ++j) to[x] += from[j];
                           }
                         }
                       }
                     });
}

}  // namespace cnn
