// leaky_relu, element by element.
#include "cnn/ops/leaky_relu.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

MapGeometry map_of(const LeakyReluGeometry& g) {
  return {g.channels, g.height, g.width, g.block};
}

}  // namespace

void leaky_relu(Blocked output, ConstBlocked input, const LeakyReluGeometry& geometry, int batch) {
  const float slope = geometry.slope;
  for_each_run(map_of(geometry), batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* in = input.block(block) + offset;
    float* out = output.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = in[i] > 0 ? in[i] : in[i] * slope;
  });
}

void leaky_relu_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                               const LeakyReluGeometry& geometry, int batch) {
  const float slope = geometry.slope;
  for_each_run(map_of(geometry), batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* d_out = d_output.block(block) + offset;
    const float* out = output.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) d_in[i] = out[i] > 0 ? d_out[i] : d_out[i] * slope;
  });
}

}  // namespace cnn
