// silu, element by element.
#include "cnn/ops/silu.hpp"

#include "cnn/core/elementary.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

float logistic(float x) {
  return 1 / (1 + exponential(-x));
}

float slope(float x) {
  const float s = logistic(x);
  return s * (1 + x * (1 - s));
}

}  // namespace

void silu(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* in = input.block(block) + offset;
    float* out = output.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = in[i] * logistic(in[i]);
  });
}

void silu_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                         const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* d_out = d_output.block(block) + offset;
    const float* in = input.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) d_in[i] = d_out[i] * slope(in[i]);
  });
}

}  // namespace cnn
