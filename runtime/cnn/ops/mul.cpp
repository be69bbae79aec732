// mul and its gradients: a product with a map, a product with a value a channel, and a sum of products.
#include "cnn/ops/mul.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

void multiply(Blocked output, ConstBlocked first, ConstBlocked second, const MapGeometry& g, int batch) {
  for_each_run(g, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* a = first.block(block) + offset;
    const float* b = second.block(block) + offset;
    float* out = output.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = a[i] * b[i];
  });
}

// Calls work(block, place of a channel's value, offset of its map) for each image's channel.
template <class Work>
void for_each_value(const MapGeometry& g, int batch, Work&& work) {
  for_each_channels(g, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      for (int image = 0; image < images; ++image) {
        const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(channel) * g.block + image;
        work(block, place, place * g.pixels());
      }
    }
  });
}

void scale(Blocked output, ConstBlocked map, ConstBlocked values, const MapGeometry& g, int batch) {
  for_each_value(g, batch, [&](int block, std::ptrdiff_t place, std::ptrdiff_t offset) {
    const float value = values.block(block)[place];
    const float* in = map.block(block) + offset;
    float* out = output.block(block) + offset;
    for (int i = 0; i < g.pixels(); ++i) out[i] = in[i] * value;
  });
}

void sum_products(Blocked values, ConstBlocked first, ConstBlocked second, const MapGeometry& g, int batch) {
  for_each_value(g, batch, [&](int block, std::ptrdiff_t place, std::ptrdiff_t offset) {
    const float* a = first.block(block) + offset;
    const float* b = second.block(block) + offset;
    const double sum = sum_terms(g.pixels(), [a, b](std::ptrdiff_t i) { return a[i] * b[i]; });
    values.block(block)[place] = static_cast<float>(sum);
  });
}

}  // namespace

void mul(Blocked output, std::initializer_list<ConstBlocked> inputs, const MulGeometry& g, int batch) {
  const ConstBlocked& first = inputs.begin()[0];
  const ConstBlocked& second = inputs.begin()[1];
  if (g.broadcast == 1) return scale(output, second, first, g.map(), batch);
  if (g.broadcast == 2) return scale(output, first, second, g.map(), batch);
  multiply(output, first, second, g.map(), batch);
}

void mul_backward_input(Blocked d_input, ConstBlocked d_output, std::initializer_list<ConstBlocked> inputs,
                        const MulGeometry& g, int which, int batch) {
  const ConstBlocked& other = inputs.begin()[1 - which];
  if (g.broadcast == 0) return multiply(d_input, d_output, other, g.map(), batch);
  if (g.broadcast == which + 1) return sum_products(d_input, d_output, other, g.map(), batch);
  scale(d_input, d_output, other, g.map(), batch);
}

}  // namespace cnn
