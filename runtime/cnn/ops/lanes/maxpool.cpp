// Window by window: each of sixteen images has a winner of its own.
#include "cnn/ops/lanes/maxpool.hpp"

#include <limits>

#include "cnn/ops/lanes/pools.hpp"

namespace cnn::lanes {

namespace {

// The largest elements of a window in sixteen images, and their places, as wide as they so that loops become vectors.
struct Winners {
  float best[kImages];
  std::int32_t place[kImages];
};

// As PyTorch: a NaN wins, and the first element does over nothing, even if it is -infinity.
[[gnu::always_inline]] inline void compare(Winners& winners, const float* images, std::int32_t place) {
  for (int i = 0; i < kImages; ++i) {
    const float value = images[i];
    const bool wins = (value > winners.best[i]) | (value != value) | (winners.place[i] == kNoWinner);
    winners.best[i] = wins ? value : winners.best[i];
    winners.place[i] = wins ? place : winners.place[i];
  }
}

std::ptrdiff_t plane_floats(int height, int width) { return static_cast<std::ptrdiff_t>(height) * width * kImages; }

template <class Keep>
void pool(Blocked output, ConstBlocked input, const PoolGeometry& g, int batch, Keep&& keep) {
  for_each_plane(g, batch, [&](int block, std::ptrdiff_t plane) {
    const float* in = input.block(block) + plane * plane_floats(g.in_height, g.in_width);
    float* out = output.block(block) + plane * plane_floats(g.out_height, g.out_width);
    for_each_window(g, [&](std::ptrdiff_t to, PoolRange lines, PoolRange columns, int y, int x) {
      Winners winners;
      std::fill_n(winners.best, kImages, -std::numeric_limits<float>::infinity());
      std::fill_n(winners.place, kImages, kNoWinner);
      for (int line = lines.begin; line < lines.end; ++line) {
        const int first = (line - y * g.stride_height + g.pad_top) * g.kernel_width - x * g.stride_width + g.pad_left;
        const float* from = in + (static_cast<std::ptrdiff_t>(line) * g.in_width + columns.begin) * kImages;
        for (int column = columns.begin; column < columns.end; ++column, from += kImages)
          compare(winners, from, first + column);
      }
      std::copy_n(winners.best, kImages, out + to);
      keep(block, plane * plane_floats(g.out_height, g.out_width) + to, winners);
    });
  });
}

}  // namespace

void maxpool(Blocked output, std::span<std::uint8_t> saved, ConstBlocked input, const PoolGeometry& g, int batch) {
  const std::ptrdiff_t block_outputs = g.channels * plane_floats(g.out_height, g.out_width);
  pool(output, input, g, batch, [&](int block, std::ptrdiff_t first, const Winners& winners) {
    std::uint8_t* to = saved.data() + block * block_outputs + first;
    for (int i = 0; i < kImages; ++i) to[i] = static_cast<std::uint8_t>(winners.place[i]);
  });
}

void maxpool(Blocked output, ConstBlocked input, const PoolGeometry& geometry, int batch) {
  pool(output, input, geometry, batch, [](int, std::ptrdiff_t, const Winners&) {});
}

void maxpool_backward_input(Blocked d_input, ConstBlocked d_output, std::span<const std::uint8_t> saved,
                            const PoolGeometry& g, int batch) {
  const std::ptrdiff_t in_plane = plane_floats(g.in_height, g.in_width);
  const std::ptrdiff_t out_plane = plane_floats(g.out_height, g.out_width);
  for_each_plane(g, batch, [&](int block, std::ptrdiff_t plane) {
    float* d_in = d_input.block(block) + plane * in_plane;
    const float* d_out = d_output.block(block) + plane * out_plane;
    const std::uint8_t* places = saved.data() + (block * static_cast<std::ptrdiff_t>(g.channels) + plane) * out_plane;
    std::fill_n(d_in, in_plane, 0.0f);
    for_each_window(g, [&](std::ptrdiff_t output, PoolRange lines, PoolRange columns, int y, int x) {
      for (int line = lines.begin; line < lines.end; ++line) {
        const int first = (line - y * g.stride_height + g.pad_top) * g.kernel_width - x * g.stride_width + g.pad_left;
        float* to = d_in + (static_cast<std::ptrdiff_t>(line) * g.in_width + columns.begin) * kImages;
        for (int column = columns.begin; column < columns.end; ++column, to += kImages) {
          for (int i = 0; i < kImages; ++i)
            to[i] += places[output + i] == first + column ? d_out[output + i] : 0.0f;
        }
      }
    });
  });
}

}  // namespace cnn::lanes
