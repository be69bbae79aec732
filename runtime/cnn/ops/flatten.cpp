// Turns each channel's [NB][H * W] over into [H * W][NB]; the same in memory where either is 1.
#include "cnn/ops/flatten.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

void flatten(Blocked output, ConstBlocked input, const MapGeometry& g, int batch) {
  const std::ptrdiff_t pixels = g.pixels();
  for_each_channels(g, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      const std::ptrdiff_t first = channel * g.block * pixels;
      const float* in = input.block(block) + first;
      float* out = output.block(block) + first;
      for (std::ptrdiff_t pixel = 0; pixel < pixels; ++pixel) {
        for (int image = 0; image < images; ++image)
          out[pixel * g.block + image] = in[image * pixels + pixel];
      }
    }
  });
}

void flatten_backward_input(Blocked d_input, ConstBlocked d_output, const MapGeometry& g, int batch) {
  const std::ptrdiff_t pixels = g.pixels();
  for_each_channels(g, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      const std::ptrdiff_t first = channel * g.block * pixels;
      const float* d_out = d_output.block(block) + first;
      float* d_in = d_input.block(block) + first;
      for (int image = 0; image < images; ++image) {
        for (std::ptrdiff_t pixel = 0; pixel < pixels; ++pixel) {
          d_in[image * pixels + pixel] = d_out[pixel * g.block + image];
        }
      }
    }
  });
}

}  // namespace cnn
