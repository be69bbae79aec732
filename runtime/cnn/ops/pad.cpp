// Zeros around maps, a row at a time.
#include "cnn/ops/pad.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

void pad(Blocked output, ConstBlocked input, const PadGeometry& g, int batch) {
  const std::ptrdiff_t in_pixels = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t out_pixels = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
  for_each_map_plane({g.channels, g.out_height, g.out_width, g.block}, batch,
                     [&](int block, std::ptrdiff_t plane) {
                       const float* in = input.block(block) + plane * in_pixels;
                       float* out = output.block(block) + plane * out_pixels;
                       float* const end = out + out_pixels;
                       out = std::fill_n(out, static_cast<std::ptrdiff_t>(g.pad_top) * g.out_width, 0.0f);
                       for (int y = 0; y < g.in_height; ++y, in += g.in_width) {
                         out = std::fill_n(out, g.pad_left, 0.0f);
                         out = std::copy_n(in, g.in_width, out);
                         out = std::fill_n(out, g.out_width - g.in_width - g.pad_left, 0.0f);
                       }
                       std::fill(out, end, 0.0f);
                     });
}

void pad_backward_input(Blocked d_input, ConstBlocked d_output, const PadGeometry& g, int batch) {
  const std::ptrdiff_t in_pixels = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t out_pixels = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
  for_each_map_plane(
      {g.channels, g.in_height, g.in_width, g.block}, batch, [&](int block, std::ptrdiff_t plane) {
        const float* from = d_output.block(block) + plane * out_pixels + g.pad_top * g.out_width + g.pad_left;
        float* to = d_input.block(block) + plane * in_pixels;
        for (int y = 0; y < g.in_height; ++y, from += g.out_width) to = std::copy_n(from, g.in_width, to);
      });
}

}  // namespace cnn
