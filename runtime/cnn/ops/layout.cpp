// Moves planes of [H][W] between layouts.
#include "cnn/ops/layout.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

// Calls work(block, offset in the block, offset in NCHW) for each plane.
template <class Work>
void for_each_plane(const MapGeometry& g, int batch, Work&& work) {
  const std::ptrdiff_t pixels = g.pixels();
  for_each_channels(g, batch, [&](int block, int begin, int end, int images) {
    for (int image = 0; image < images; ++image) {
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(block) * g.block + image;
      for (std::ptrdiff_t channel = begin; channel < end; ++channel) {
        work(block, (channel * g.block + image) * pixels, (first * g.channels + channel) * pixels);
      }
    }
  });
}

}  // namespace

void to_blocked(Blocked output, ConstFloats images, const MapGeometry& geometry, int batch) {
  for_each_plane(geometry, batch, [&](int block, std::ptrdiff_t blocked, std::ptrdiff_t plain) {
    std::copy_n(images.data() + plain, geometry.pixels(), output.block(block) + blocked);
  });
}

void from_blocked(Floats images, ConstBlocked input, const MapGeometry& geometry, int batch) {
  for_each_plane(geometry, batch, [&](int block, std::ptrdiff_t blocked, std::ptrdiff_t plain) {
    std::copy_n(input.block(block) + blocked, geometry.pixels(), images.data() + plain);
  });
}

}  // namespace cnn
