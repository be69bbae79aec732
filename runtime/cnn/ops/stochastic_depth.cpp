// Stochastic depth, a plane at a time.
#include "cnn/ops/stochastic_depth.hpp"

#include "cnn/core/random.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

void stochastic_depth(Blocked output, ConstBlocked input, const StochasticDepthGeometry& g, int batch,
                      const RandomKey& random) {
  const std::ptrdiff_t pixels = static_cast<std::ptrdiff_t>(g.height) * g.width;
  const float scale = g.rate < 1 ? 1 / (1 - g.rate) : 0;
  const auto stream = static_cast<std::uint32_t>(g.stream);
  for_each_map_plane({g.channels, g.height, g.width, g.block}, batch, [&](int block, std::ptrdiff_t plane) {
    const auto image = random.first_image + static_cast<std::uint64_t>(block * g.block + plane % g.block);
    const float* in = input.block(block) + plane * pixels;
    float* out = output.block(block) + plane * pixels;
    if (uniform(random, stream, image) < g.rate) return void(std::fill_n(out, pixels, 0.0f));
    for (std::ptrdiff_t i = 0; i < pixels; ++i) out[i] = in[i] * scale;
  });
}

void stochastic_depth_backward_input(Blocked d_input, ConstBlocked d_output,
                                     const StochasticDepthGeometry& geometry, int batch,
                                     const RandomKey& random) {
  stochastic_depth(d_input, d_output, geometry, batch, random);  // scales and clears the same images
}

}  // namespace cnn
