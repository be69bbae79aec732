// Global average pooling.
#include "cnn/ops/gap.hpp"

#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

void gap(Blocked output, const Loaded& input, const MapGeometry& g, int batch) {
  const std::ptrdiff_t pixels = g.pixels();
  for_each_channels(g, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      with_channel_map(input, channel, g.channels, [&](const auto& map) {
        for (int image = 0; image < images; ++image) {
          const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(channel) * g.block + image;
          const float* in = input.map.block(block) + place * pixels;
          const double sum = sum_terms(pixels, [in, map](std::ptrdiff_t i) { return map(in[i]); });
          output.block(block)[place] = static_cast<float>(sum / static_cast<double>(pixels));
        }
      });
    }
  });
}

void gap_backward_input(Blocked d_input, ConstBlocked d_output, const MapGeometry& g, int batch) {
  const std::ptrdiff_t pixels = g.pixels();
  for_each_channels(g, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      for (int image = 0; image < images; ++image) {
        const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(channel) * g.block + image;
        const float share = d_output.block(block)[place] / static_cast<float>(pixels);
        std::fill_n(d_input.block(block) + place * pixels, pixels, share);
      }
    }
  });
}

}  // namespace cnn
