// gelu, element by element.
#include "cnn/ops/gelu.hpp"

#include "cnn/core/elementary.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

float normal_distribution(float x) {
  return 0.5f * (1 + error_function(x * 0.707106781f));
}

float slope(float x) {
  return normal_distribution(x) + x * exponential(-0.5f * x * x) * 0.398942280f;
}

}  // namespace

void gelu(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* in = input.block(block) + offset;
    float* out = output.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = in[i] * normal_distribution(in[i]);
  });
}

void gelu_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                         const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* d_out = d_output.block(block) + offset;
    const float* in = input.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) d_in[i] = d_out[i] * slope(in[i]);
  });
}

}  // namespace cnn
