// Max pooling, a piece of a row of outputs at a time: each place of the window is compared for all of them in
// one loop.
#include "cnn/ops/maxpool.hpp"

#include <bit>
#include <limits>

#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/windows.hpp"

namespace cnn {

namespace {

struct Winners {
  float best[kPoolPiece];
  std::int32_t place[kPoolPiece];  // as wide as best, so that loops over both become vectors
};

// Without a branch, which data would make hard to predict where a row's end is not done by vectors.
std::int32_t select(bool condition, std::int32_t yes, std::int32_t no) {
  return no ^ ((no ^ yes) & -static_cast<std::int32_t>(condition));
}
float select(bool condition, float yes, float no) {
  return std::bit_cast<float>(
      select(condition, std::bit_cast<std::int32_t>(yes), std::bit_cast<std::int32_t>(no)));
}

// As PyTorch: a NaN wins, and the first element does over nothing, even if it is -infinity.
void compare(float& best, std::int32_t& best_place, float value, std::int32_t place) {
  const bool wins = (value > best) | (value != value) | (best_place == kNoWinner);
  best = select(wins, value, best);
  best_place = select(wins, place, best_place);
}

// The largest elements of the windows of outputs [begin, end) of row y.
template <class Stride, class Load>
void find_winners(Winners& winners, const float* plane, const PoolGeometry& g, int y, int begin, int end,
                  Stride stride, Load&& load) {
  std::fill_n(winners.best, end - begin, -std::numeric_limits<float>::infinity());
  std::fill_n(winners.place, end - begin, kNoWinner);
  const int first_y = y * g.stride_height - g.pad_top;
  for (int in_y = std::max(first_y, 0); in_y < std::min(first_y + g.kernel_height, g.in_height); ++in_y) {
    for (int tap_x = 0; tap_x < g.kernel_width; ++tap_x) {
      const PoolSpan span = pool_span(g, tap_x, begin, end, stride);
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(in_y) * g.in_width + span.begin * stride;
      const float* __restrict in = plane + first + tap_x - g.pad_left;
      float* __restrict best = winners.best + (span.begin - begin);
      std::int32_t* __restrict places = winners.place + (span.begin - begin);
      const std::int32_t place = (in_y - first_y) * g.kernel_width + tap_x;
      for (int i = 0; i < span.end - span.begin; ++i) compare(best[i], places[i], load(in[i * stride]), place);
    }
  }
}

// Windows of 2x2 side by side, none over an edge: the usual ones, compared in registers.
bool halves(const PoolGeometry& g) {
  return g.kernel_height == 2 && g.kernel_width == 2 && g.stride_height == 2 && g.stride_width == 2 &&
         g.pad_top == 0 && g.pad_left == 0 && 2 * g.out_height <= g.in_height &&
         2 * g.out_width <= g.in_width;
}

template <class Load>
void find_winners_of_halves(Winners& winners, const float* plane, const PoolGeometry& g, int y, int begin,
                            int end, Load&& load) {
  const float* __restrict upper = plane + static_cast<std::ptrdiff_t>(2 * y) * g.in_width + 2 * begin;
  const float* __restrict lower = upper + g.in_width;
  for (int i = 0; i < end - begin; ++i) {
    float best = load(upper[2 * i]);
    std::int32_t place = 0;
    compare(best, place, load(upper[2 * i + 1]), 1);
    compare(best, place, load(lower[2 * i]), 2);
    compare(best, place, load(lower[2 * i + 1]), 3);
    winners.best[i] = best;
    winners.place[i] = place;
  }
}

template <class Stride, class Load, class Keep>
void pool_plane(float* output, const float* plane, const PoolGeometry& g, Stride stride, Load&& load, Keep&& keep) {
  for_each_piece(g, [&](int begin, int end) {
    Winners winners;
    for (int y = 0; y < g.out_height; ++y) {
      if (halves(g)) {
        find_winners_of_halves(winners, plane, g, y, begin, end, load);
      } else {
        find_winners(winners, plane, g, y, begin, end, stride, load);
      }
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
      std::copy_n(winners.best, end - begin, output + first);
      keep(first, winners, end - begin);
    }
  });
}

template <class Keep>
void pool(Blocked output, const Loaded& input, const PoolGeometry& g, int batch, Keep&& keep) {
  const std::ptrdiff_t channel_floats = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * g.block;
  with_stride(g.stride_width, [&](auto stride) {
    for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
      const auto keep_row = [&](std::ptrdiff_t first, const Winners& winners, int count) {
        keep(block, out_offset + first, winners, count);
      };
      float* to = output.block(block) + out_offset;
      const float* plane = input.map.block(block) + in_offset;
      if (input.affine == nullptr) {
        pool_plane(to, plane, g, stride, [](float value) { return value; }, keep_row);
      } else {
        const auto channel = static_cast<int>(in_offset / channel_floats);
        pool_plane(to, plane, g, stride, ChannelMap(input, channel, g.channels), keep_row);
      }
    });
  });
}

std::ptrdiff_t block_outputs(const PoolGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.channels) * g.block * g.out_height * g.out_width;
}

}  // namespace

void maxpool(Blocked output, std::span<std::uint8_t> saved, const Loaded& input, const PoolGeometry& geometry,
             int batch) {
  pool(output, input, geometry, batch,
       [&](int block, std::ptrdiff_t first, const Winners& winners, int count) {
         std::uint8_t* to = saved.data() + block * block_outputs(geometry) + first;
         for (int i = 0; i < count; ++i) to[i] = static_cast<std::uint8_t>(winners.place[i]);
       });
}

void maxpool(Blocked output, const Loaded& input, const PoolGeometry& geometry, int batch) {
  pool(output, input, geometry, batch, [](int, std::ptrdiff_t, const Winners&, int) {});
}

void maxpool_backward_input(Blocked d_input, ConstBlocked d_output, std::span<const std::uint8_t> saved,
                            const PoolGeometry& g, int batch) {
  std::ptrdiff_t offsets[kNoWinner];  // of the window's places from its first
  for (int place = 0; place < g.kernel_height * g.kernel_width; ++place) {
    offsets[place] =
        static_cast<std::ptrdiff_t>(place / g.kernel_width) * g.in_width + place % g.kernel_width;
  }
  for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
    float* d_in = d_input.block(block) + in_offset;
    const float* d_out = d_output.block(block) + out_offset;
    const std::uint8_t* places = saved.data() + block * block_outputs(g) + out_offset;
    std::fill_n(d_in, static_cast<std::ptrdiff_t>(g.in_height) * g.in_width, 0.0f);
    for (int y = 0; y < g.out_height; ++y) {
      const std::ptrdiff_t row =
          static_cast<std::ptrdiff_t>(y * g.stride_height - g.pad_top) * g.in_width - g.pad_left;
      for (int x = 0; x < g.out_width; ++x, ++d_out, ++places) {
        if (*places != kNoWinner) d_in[row + x * g.stride_width + offsets[*places]] += *d_out;
      }
    }
  });
}

}  // namespace cnn
