// Copies a map.
#include "cnn/ops/copy.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

void copy(Blocked output, ConstBlocked input, const MapGeometry& geometry, int batch) {
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    std::copy_n(input.block(block) + offset, count, output.block(block) + offset);
  });
}

}  // namespace cnn
