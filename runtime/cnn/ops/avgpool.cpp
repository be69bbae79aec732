// Average pooling, a piece of a row of outputs at a time. A window's count is its height times its width.
#include "cnn/ops/avgpool.hpp"

#include "cnn/ops/averages.hpp"

namespace cnn {

void avgpool(Blocked output, ConstBlocked input, const PoolGeometry& g, int batch) {
  with_stride(g.stride_width, [&](auto stride) {
    for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
      for_each_piece(g, [&](int begin, int end) {
        float widths[kPoolPiece];
        count_columns(widths, g, begin, end);
        for (int y = 0; y < g.out_height; ++y) {
          float* out =
              output.block(block) + out_offset + static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
          find_means(out, input.block(block) + in_offset, widths, g, y, begin, end, stride);
        }
      });
    });
  });
}

void avgpool_backward_input(Blocked d_input, ConstBlocked d_output, const PoolGeometry& g, int batch) {
  with_stride(g.stride_width, [&](auto stride) {
    for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
      float* d_in = d_input.block(block) + in_offset;
      std::fill_n(d_in, static_cast<std::ptrdiff_t>(g.in_height) * g.in_width, 0.0f);
      for_each_piece(g, [&](int begin, int end) {
        float widths[kPoolPiece];
        count_columns(widths, g, begin, end);
        for (int y = 0; y < g.out_height; ++y) {
          float shares[kPoolPiece];
          const auto height = static_cast<float>(counted_rows(g, y));
          const float* d_out =
              d_output.block(block) + out_offset + static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
          for (int i = 0; i < end - begin; ++i) shares[i] = d_out[i] / (height * widths[i]);
          const auto add = [&](float* __restrict to, int first, int count) {
            for (int i = 0; i < count; ++i) to[i * stride] += shares[first + i];
          };
          for_each_place(d_in, g, y, begin, end, stride, add);
        }
      });
    });
  });
}

}  // namespace cnn
