// pad and its gradient are one thing: planes placed over planes of another size.
#include "cnn/ops/pad.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

// to = from, moved down and right, and zeros where there is no such element.
void place_plane(float* to, const float* from, const PadGeometry& g) {
  std::fill_n(to, static_cast<std::ptrdiff_t>(g.out_height) * g.out_width, 0.0f);
  const int begin = std::max(g.left, 0);
  const int end = std::min(g.in_width + g.left, g.out_width);
  for (int y = std::max(g.top, 0); y < std::min(g.in_height + g.top, g.out_height) && begin < end; ++y) {
    const float* row = from + static_cast<std::ptrdiff_t>(y - g.top) * g.in_width;
    std::copy(row + (begin - g.left), row + (end - g.left),
              to + static_cast<std::ptrdiff_t>(y) * g.out_width + begin);
  }
}

}  // namespace

void pad(Blocked output, ConstBlocked input, const PadGeometry& g, int batch) {
  const std::ptrdiff_t in_plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t out_plane = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
  const MapGeometry map{g.channels, g.out_height, g.out_width, g.block};
  for_each_channels(map, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      for (int image = 0; image < images; ++image) {
        const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(channel) * g.block + image;
        place_plane(output.block(block) + plane * out_plane, input.block(block) + plane * in_plane, g);
      }
    }
  });
}

void pad_backward_input(Blocked d_input, ConstBlocked d_output, const PadGeometry& g, int batch) {
  const PadGeometry back{g.channels, g.out_height, g.out_width, g.in_height,
                         g.in_width, -g.top,       -g.left,     g.block};
  pad(d_input, d_output, back, batch);
}

}  // namespace cnn
