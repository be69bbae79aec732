// stochastic_depth: each image of a block is scaled or cleared as a whole.
#include "cnn/ops/stochastic_depth.hpp"

#include "cnn/core/random.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

void stochastic_depth(Blocked output, ConstBlocked input, const StochasticDepthGeometry& g, int batch,
                      const RandomKey& random) {
  const MapGeometry map{g.channels, g.height, g.width, g.block};
  const float scale = g.rate < 1 ? 1 / (1 - g.rate) : 0;
  const auto stream = static_cast<std::uint32_t>(g.stream);
  for_each_channels(map, batch, [&](int block, int begin, int end, int images) {
    for (int image = 0; image < images; ++image) {
      const auto number = static_cast<std::uint64_t>(block * g.block + image);
      const bool kept = uniform(random, stream, number) >= g.rate;
      for (int channel = begin; channel < end; ++channel) {
        const std::ptrdiff_t first = (static_cast<std::ptrdiff_t>(channel) * g.block + image) * map.pixels();
        const float* in = input.block(block) + first;
        float* out = output.block(block) + first;
        if (kept) {
          for (int i = 0; i < map.pixels(); ++i) out[i] = in[i] * scale;
        } else {
          std::fill_n(out, map.pixels(), 0.0f);
        }
      }
    }
  });
}

void stochastic_depth_backward_input(Blocked d_input, ConstBlocked d_output,
                                     const StochasticDepthGeometry& geometry, int batch,
                                     const RandomKey& random) {
  stochastic_depth(d_input, d_output, geometry, batch, random);  // scales and clears the same images
}

}  // namespace cnn
