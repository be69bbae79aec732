// relu6, element by element.
#include "cnn/ops/relu6.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

constexpr float kCeiling = 6;

float clip(float x) {
  const float positive = x < 0 ? 0 : x;
  return positive > kCeiling ? kCeiling : positive;
}

}  // namespace

void relu6(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* in = input.block(block) + offset;
    float* out = output.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = clip(in[i]);
  });
}

void relu6_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                          const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* d_out = d_output.block(block) + offset;
    const float* out = output.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) d_in[i] = (out[i] > 0) & (out[i] < kCeiling) ? d_out[i] : 0;
  });
}

}  // namespace cnn
