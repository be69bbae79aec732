// Moves planes of [H][W] between layouts.
#include "cnn/ops/layout.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

void from_blocked(Floats images, ConstBlocked input, const MapGeometry& g, int batch) {
  const std::ptrdiff_t pixels = g.pixels();
  for_each_channels(g, batch, [&](int block, int begin, int end, int in_block) {
    for (int image = 0; image < in_block; ++image) {
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(block) * g.block + image;
      for (std::ptrdiff_t channel = begin; channel < end; ++channel) {
        const float* plane = input.block(block) + (channel * g.block + image) * pixels;
        std::copy_n(plane, pixels, images.data() + (first * g.channels + channel) * pixels);
      }
    }
  });
}

}  // namespace cnn
