// Distances to codes.
#include "cnn/ops/rbf.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

float code_at(const RbfGeometry& g, int digit, int place) {
  const std::int64_t word = g.codes[static_cast<std::size_t>(2 * digit + place / kRbfWordPixels)];
  return (word >> (place % kRbfWordPixels) & 1) != 0 ? 1.0f : -1.0f;
}

}  // namespace

void rbf(Blocked output, ConstBlocked input, const RbfGeometry& g, int batch) {
  for_each_tile(block_count(batch, g.block), [&](int block) {
    const int images = images_in_block(batch, g.block, block);
    for (int digit = 0; digit < g.out; ++digit) {
      float* out = output.block(block) + static_cast<std::ptrdiff_t>(digit) * g.block;
      std::fill_n(out, images, 0.0f);
      for (int place = 0; place < g.in; ++place) {
        const float* in = input.block(block) + static_cast<std::ptrdiff_t>(place) * g.block;
        const float code = code_at(g, digit, place);
        for (int image = 0; image < images; ++image) out[image] -= (in[image] - code) * (in[image] - code);
      }
    }
  });
}

void rbf_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input, const RbfGeometry& g,
                        int batch) {
  for_each_tile(block_count(batch, g.block), [&](int block) {
    const int images = images_in_block(batch, g.block, block);
    for (int place = 0; place < g.in; ++place) {
      const float* in = input.block(block) + static_cast<std::ptrdiff_t>(place) * g.block;
      float* d_in = d_input.block(block) + static_cast<std::ptrdiff_t>(place) * g.block;
      std::fill_n(d_in, images, 0.0f);
      for (int digit = 0; digit < g.out; ++digit) {
        const float* d_out = d_output.block(block) + static_cast<std::ptrdiff_t>(digit) * g.block;
        const float code = code_at(g, digit, place);
        for (int image = 0; image < images; ++image) d_in[image] -= 2 * d_out[image] * (in[image] - code);
      }
    }
  });
}

}  // namespace cnn
