// hardswish, element by element.
#include "cnn/ops/hardswish.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

float gate(float x) {
  const float positive = x + 3 < 0 ? 0 : x + 3;
  return (positive > 6 ? 6 : positive) * (1.0f / 6);
}

float slope(float x) {
  const float between = (2 * x + 3) * (1.0f / 6);
  const float upper = x > 3 ? 1 : between;
  return x < -3 ? 0 : upper;
}

}  // namespace

void hardswish(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* in = input.block(block) + offset;
    float* out = output.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = in[i] * gate(in[i]);
  });
}

void hardswish_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input,
                              const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* d_out = d_output.block(block) + offset;
    const float* in = input.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) d_in[i] = d_out[i] * slope(in[i]);
  });
}

}  // namespace cnn
