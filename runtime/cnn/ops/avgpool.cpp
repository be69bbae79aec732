// Average pooling, a piece of a row of outputs at a time. A window's count is its height times its width.
#include "cnn/ops/avgpool.hpp"

#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/windows.hpp"

namespace cnn {

namespace {

int counted_rows(const PoolGeometry& g, int y) {
  return counted(y, g.kernel_height, g.stride_height, g.pad_top, g.in_height, g.count_include_pad);
}

// The widths of the windows of outputs [begin, end) of a row.
void count_columns(float* widths, const PoolGeometry& g, int begin, int end) {
  for (int x = begin; x < end; ++x) {
    const int width = counted(x, g.kernel_width, g.stride_width, g.pad_left, g.in_width, g.count_include_pad);
    widths[x - begin] = static_cast<float>(width);
  }
}

// Calls visit(the input of the first output that has it, index of that output in the piece, count) for each
// place of the windows of outputs [begin, end) of row y.
template <class Image, class Stride, class Visit>
void for_each_place(Image* plane, const PoolGeometry& g, int y, int begin, int end, Stride stride,
                    Visit&& visit) {
  const int first_y = y * g.stride_height - g.pad_top;
  const int last_y = std::min(first_y + g.kernel_height, g.in_height);
  for (int tap_x = 0; tap_x < g.kernel_width; ++tap_x) {
    const PoolSpan span = pool_span(g, tap_x, begin, end, stride);
    if (span.begin == span.end) continue;
    for (int in_y = std::max(first_y, 0); in_y < last_y; ++in_y) {
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(in_y) * g.in_width + span.begin * stride;
      visit(plane + first + tap_x - g.pad_left, span.begin - begin, span.end - span.begin);
    }
  }
}

template <class Stride, class Map>
void average_plane(float* output, const float* plane, const PoolGeometry& g, Stride stride, const Map& map) {
  for_each_piece(g, [&](int begin, int end) {
    float widths[kPoolPiece];
    count_columns(widths, g, begin, end);
    for (int y = 0; y < g.out_height; ++y) {
      float sums[kPoolPiece] = {};
      const auto add = [&](const float* __restrict in, int first, int count) {
        for (int i = 0; i < count; ++i) sums[first + i] += map(in[i * stride]);
      };
      for_each_place(plane, g, y, begin, end, stride, add);
      const auto height = static_cast<float>(counted_rows(g, y));
      float* out = output + static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
      for (int i = 0; i < end - begin; ++i) out[i] = sums[i] / (height * widths[i]);
    }
  });
}

}  // namespace

void avgpool(Blocked output, const Loaded& input, const PoolGeometry& g, int batch) {
  const std::ptrdiff_t channel_floats = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * g.block;
  with_stride(g.stride_width, [&](auto stride) {
    for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
      const float* plane = input.map.block(block) + in_offset;
      float* to = output.block(block) + out_offset;
      with_channel_map(input, static_cast<int>(in_offset / channel_floats), g.channels,
                       [&](const auto& map) { average_plane(to, plane, g, stride, map); });
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
