// relu, element by element.
#include "cnn/ops/relu.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

void relu(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* in = input.block(block) + offset;
    float* out = output.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = in[i] < 0 ? 0 : in[i];
  });
}

void relu_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output,
                         const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float* d_out = d_output.block(block) + offset;
    const float* out = output.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) d_in[i] = out[i] > 0 ? d_out[i] : 0;
  });
}

}  // namespace cnn
