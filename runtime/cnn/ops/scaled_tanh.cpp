// scaled_tanh, element by element.
#include "cnn/ops/scaled_tanh.hpp"

#include "cnn/core/elementary.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

MapGeometry map_of(const ScaledTanhGeometry& g) {
  return {g.channels, g.height, g.width, g.block};
}

}  // namespace

void scaled_tanh(Blocked output, ConstBlocked input, const ScaledTanhGeometry& geometry, int batch) {
  const float scale = geometry.scale;
  const float slope = geometry.slope;
  for_each_run(map_of(geometry), batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* in = input.block(block) + offset;
    float* out = output.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = scale * hyperbolic_tangent(slope * in[i]);
  });
}

void scaled_tanh_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                                const ScaledTanhGeometry& geometry, int batch) {
  const float scale = geometry.scale;
  const float slope = geometry.slope;
  for_each_run(map_of(geometry), batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* d_out = d_output.block(block) + offset;
    const float* out = output.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) d_in[i] = d_out[i] * slope * (scale - out[i] * out[i] / scale);
  });
}

}  // namespace cnn
