// Average pooling, a piece of a row of outputs at a time: columns over rows, then windows. A window's count is its height times its width.
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

// Rows of the input that the windows of a row of outputs have.
struct Rows {
  int begin, end;

  Rows(const PoolGeometry& g, int y)
      : begin(std::max(y * g.stride_height - g.pad_top, 0)), end(std::min(y * g.stride_height - g.pad_top + g.kernel_height, g.in_height)) {}
};

constexpr int kMostColumns = 512;  // that are summed up together

// Calls work(first, last) for the columns of the input that windows of outputs [begin, end) have, some at a time.
template <class Work>
void for_each_columns(const PoolGeometry& g, int begin, int end, Work&& work) {
  const int last = std::min((end - 1) * g.stride_width - g.pad_left + g.kernel_width, g.in_width);
  for (int first = std::max(begin * g.stride_width - g.pad_left, 0); first < last; first += kMostColumns) {
    work(first, std::min(first + kMostColumns, last));
  }
}

// Calls visit(output, column) for the columns in [first, last) of the windows of outputs [begin, end).
template <class Visit>
void for_each_place(const PoolGeometry& g, int begin, int end, int first, int last, Visit&& visit) {
  for (int x = begin; x < end; ++x) {
    const int left = x * g.stride_width - g.pad_left;
    const int behind = std::min(left + g.kernel_width, last);
    for (int column = std::max(left, first); column < behind; ++column) visit(x, column);
  }
}

// Columns are summed up over the rows of a window first, all of them in vectors.
template <class Map>
void average_plane(float* output, const float* plane, const PoolGeometry& g, const Map& map) {
  for_each_piece(g, [&](int begin, int end) {
    float widths[kPoolPiece];
    count_columns(widths, g, begin, end);
    for (int y = 0; y < g.out_height; ++y) {
      const Rows rows(g, y);
      float sums[kPoolPiece] = {};
      for_each_columns(g, begin, end, [&](int first, int last) {
        float tall[kMostColumns];
        std::fill_n(tall, last - first, 0.0f);
        for (int row = rows.begin; row < rows.end; ++row) {
          const float* __restrict in = plane + static_cast<std::ptrdiff_t>(row) * g.in_width + first;
          for (int i = 0; i < last - first; ++i) tall[i] += map(in[i]);
        }
        for_each_place(g, begin, end, first, last, [&](int x, int column) { sums[x - begin] += tall[column - first]; });
      });
      const auto height = static_cast<float>(counted_rows(g, y));
      float* out = output + static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
      for (int i = 0; i < end - begin; ++i) out[i] = sums[i] / (height * widths[i]);
    }
  });
}

// And shares of gradients are spread over the columns first.
void spread_plane(float* d_in, const float* d_output, const PoolGeometry& g) {
  std::fill_n(d_in, static_cast<std::ptrdiff_t>(g.in_height) * g.in_width, 0.0f);
  for_each_piece(g, [&](int begin, int end) {
    float widths[kPoolPiece];
    count_columns(widths, g, begin, end);
    for (int y = 0; y < g.out_height; ++y) {
      const Rows rows(g, y);
      const auto height = static_cast<float>(counted_rows(g, y));
      const float* d_out = d_output + static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
      float shares[kPoolPiece];
      for (int i = 0; i < end - begin; ++i) shares[i] = d_out[i] / (height * widths[i]);
      for_each_columns(g, begin, end, [&](int first, int last) {
        float spread[kMostColumns];
        std::fill_n(spread, last - first, 0.0f);
        for_each_place(g, begin, end, first, last, [&](int x, int column) { spread[column - first] += shares[x - begin]; });
        for (int row = rows.begin; row < rows.end; ++row) {
          float* __restrict to = d_in + static_cast<std::ptrdiff_t>(row) * g.in_width + first;
          for (int i = 0; i < last - first; ++i) to[i] += spread[i];
        }
      });
    }
  });
}

}  // namespace

void avgpool(Blocked output, const Loaded& input, const PoolGeometry& g, int batch) {
  const std::ptrdiff_t channel_floats = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * g.block;
  for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
    const float* plane = input.map.block(block) + in_offset;
    float* to = output.block(block) + out_offset;
    with_channel_map(input, static_cast<int>(in_offset / channel_floats), g.channels,
                     [&](const auto& map) { average_plane(to, plane, g, map); });
  });
}

void avgpool_backward_input(Blocked d_input, ConstBlocked d_output, const PoolGeometry& g, int batch) {
  for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
    spread_plane(d_input.block(block) + in_offset, d_output.block(block) + out_offset, g);
  });
}

}  // namespace cnn
