// Sums maps through a small buffer, so that no input is overwritten before it is read.
#include "cnn/ops/add.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

void add(Blocked output, std::initializer_list<ConstBlocked> inputs, const MapGeometry& geometry, int batch) {
  constexpr std::ptrdiff_t kPiece = 512;
  for_each_run(geometry, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
    float sum[kPiece];
    for (std::ptrdiff_t begin = 0; begin < count; begin += kPiece) {
      const std::ptrdiff_t size = std::min(kPiece, count - begin);
      bool first = true;
      for (const ConstBlocked& input : inputs) {
        const float* in = input.block(block) + offset + begin;
        if (first) {
          std::copy_n(in, size, sum);
        } else {
          for (std::ptrdiff_t i = 0; i < size; ++i) sum[i] += in[i];
        }
        first = false;
      }
      std::copy_n(sum, size, output.block(block) + offset + begin);
    }
  });
}

}  // namespace cnn
