// Dropout walks an image's elements in the order of NCHW, four random numbers at a time.
#include "cnn/ops/dropout.hpp"

#include "cnn/core/random.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

void dropout(Blocked output, ConstBlocked input, const DropoutGeometry& g, int batch,
             const RandomKey& random) {
  const MapGeometry map{g.channels, g.height, g.width, g.block};
  const std::ptrdiff_t pixels = map.pixels();
  const float scale = g.rate < 1 ? 1 / (1 - g.rate) : 0;
  const auto stream = static_cast<std::uint32_t>(g.stream);
  for_each_channels(map, batch, [&](int block, int begin, int end, int images) {
    const float* in = input.block(block);
    float* out = output.block(block);
    for (int image = 0; image < images; ++image) {
      auto element = ((random.first_image + static_cast<std::uint64_t>(block * g.block + image)) * g.channels + begin) * pixels;
      PhiloxCounter words = random_words(random, stream, static_cast<std::uint32_t>(element / 4));
      for (int channel = begin; channel < end; ++channel) {
        const std::ptrdiff_t first = (static_cast<std::ptrdiff_t>(channel) * g.block + image) * pixels;
        for (std::ptrdiff_t i = first; i < first + pixels; ++i, ++element) {
          if (element % 4 == 0) words = random_words(random, stream, static_cast<std::uint32_t>(element / 4));
          out[i] = to_uniform(words[element % 4]) >= g.rate ? in[i] * scale : 0;
        }
      }
    }
  });
}

void dropout_backward_input(Blocked d_input, ConstBlocked d_output, const DropoutGeometry& geometry,
                            int batch, const RandomKey& random) {
  dropout(d_input, d_output, geometry, batch, random);  // scales and clears the same elements
}

}  // namespace cnn
