// Average pooling, a piece of a row of outputs at a time. A window's count is its height times its width.
#include "cnn/ops/avgpool.hpp"

#include "cnn/ops/windows.hpp"

namespace cnn {

namespace {

// How many places of a window count along one axis, at least 1 so that an empty window's mean is 0.
int counted(int output, int kernel, int stride, int pad, int size, bool count_include_pad) {
  const int begin = output * stride - pad;
  const int end = std::min(begin + kernel, size + pad);
  const int places = count_include_pad ? end - begin : std::min(end, size) - std::max(begin, 0);
  return std::max(places, 1);
}

// The counts of outputs [begin, end) of row y.
void count_windows(float* counts, const PoolGeometry& g, int y, int begin, int end) {
  const int height =
      counted(y, g.kernel_height, g.stride_height, g.pad_top, g.in_height, g.count_include_pad);
  for (int x = begin; x < end; ++x) {
    const int width = counted(x, g.kernel_width, g.stride_width, g.pad_left, g.in_width, g.count_include_pad);
    counts[x - begin] = static_cast<float>(height * width);
  }
}

// Calls visit(row of the input at the first output of the span, index of that output in the piece, count) for
// each place of the windows of outputs [begin, end) of row y.
template <class Image, class Visit>
void for_each_place(Image* plane, const PoolGeometry& g, int y, int begin, int end, Visit&& visit) {
  for (int tap_y = 0; tap_y < g.kernel_height; ++tap_y) {
    const int in_y = y * g.stride_height - g.pad_top + tap_y;
    if (in_y < 0 || in_y >= g.in_height) continue;
    for (int tap_x = 0; tap_x < g.kernel_width; ++tap_x) {
      const PoolSpan span = pool_span(g, tap_x, begin, end);
      if (span.begin == span.end) continue;
      const std::ptrdiff_t first =
          static_cast<std::ptrdiff_t>(in_y) * g.in_width + span.begin * g.stride_width;
      visit(plane + first + tap_x - g.pad_left, span.begin - begin, span.end - span.begin);
    }
  }
}

// Calls work(piece's begin, end, row y) for the pieces of a plane of outputs.
template <class Work>
void for_each_piece(const PoolGeometry& g, Work&& work) {
  for (int y = 0; y < g.out_height; ++y) {
    for (int begin = 0; begin < g.out_width; begin += kPoolPiece) {
      work(begin, std::min(begin + kPoolPiece, g.out_width), y);
    }
  }
}

}  // namespace

void avgpool(Blocked output, ConstBlocked input, const PoolGeometry& g, int batch) {
  with_stride(g.stride_width, [&](auto stride) {
    for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
      for_each_piece(g, [&](int begin, int end, int y) {
        float sums[kPoolPiece] = {};
        float counts[kPoolPiece];
        for_each_place(input.block(block) + in_offset, g, y, begin, end,
                       [&](const float* in, int first, int count) {
                         for (int i = 0; i < count; ++i) sums[first + i] += in[i * stride];
                       });
        count_windows(counts, g, y, begin, end);
        float* out = output.block(block) + out_offset + static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
        for (int i = 0; i < end - begin; ++i) out[i] = sums[i] / counts[i];
      });
    });
  });
}

void avgpool_backward_input(Blocked d_input, ConstBlocked d_output, const PoolGeometry& g, int batch) {
  with_stride(g.stride_width, [&](auto stride) {
    for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
      float* d_in = d_input.block(block) + in_offset;
      std::fill_n(d_in, static_cast<std::ptrdiff_t>(g.in_height) * g.in_width, 0.0f);
      for_each_piece(g, [&](int begin, int end, int y) {
        float shares[kPoolPiece];
        count_windows(shares, g, y, begin, end);
        const float* d_out =
            d_output.block(block) + out_offset + static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
        for (int i = 0; i < end - begin; ++i) shares[i] = d_out[i] / shares[i];
        for_each_place(d_in, g, y, begin, end, [&](float* to, int first, int count) {
          for (int i = 0; i < count; ++i) to[i * stride] += shares[first + i];
        });
      });
    });
  });
}

}  // namespace cnn
