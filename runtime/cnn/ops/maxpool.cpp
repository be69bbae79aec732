// Max pooling, a piece of a row of outputs at a time: each place of the window is compared for all of them in
// one loop.
#include "cnn/ops/maxpool.hpp"

#include <bit>
#include <cstring>
#include <limits>

#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/windows.hpp"

namespace cnn {

namespace {

struct Winners {
  alignas(32) float best[kPoolPiece];
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

// The usual windows in registers: what a few rows of outputs read is copied, with -infinity where there is no element, and each
// place of the window is compared for a vector of outputs at a time.
constexpr int kBandRows = 4;
constexpr int kMostKernel = 15;
constexpr int kMostStride = 2;
constexpr int kBandPitch = (kPoolPiece - 1) * kMostStride + kMostKernel + 3 * kWideLanes;
constexpr float kNothing = -std::numeric_limits<float>::infinity();

bool usual(const PoolGeometry& g) {
  return g.stride_height <= kMostStride && g.stride_width <= kMostStride && g.kernel_height <= kMostKernel &&
         g.kernel_width <= kMostKernel && g.kernel_height * g.kernel_width < kNoWinner;
}

struct Band {
  alignas(64) float rows[(kBandRows - 1) * kMostStride + kMostKernel][kBandPitch];

  template <class Map>
  void read(const float* plane, const PoolGeometry& g, int y, int count, int begin, int end, const Map& map) {
    const int first = begin * g.stride_width - g.pad_left;
    const int width = (end - begin - 1) * g.stride_width + g.kernel_width;
    const int inside_begin = std::clamp(-first, 0, width), inside_end = std::clamp(g.in_width - first, inside_begin, width);
    const int height = (count - 1) * g.stride_height + g.kernel_height;
    for (int row = 0; row < height; ++row) {
      const int in_y = y * g.stride_height - g.pad_top + row;
      const bool inside = in_y >= 0 && in_y < g.in_height;
      const int from = inside ? inside_begin : 0, to = inside ? inside_end : 0;
      nothing(rows[row], from);
      if (from < to) copy_mapped(rows[row] + from, plane + static_cast<std::ptrdiff_t>(in_y) * g.in_width + first + from, to - from, map);
      nothing(rows[row] + to, width + kMostStride * kWideLanes - to);
    }
  }

 private:
  // `count` times, and up to seven more, which the next ones overwrite.
  static void nothing(float* to, int count) {
    const Vector value = once(broadcast(kNothing));
    for (int i = 0; i < count; i += kLanes) store(to + i, value);
  }
};

using Places = std::int32_t __attribute__((vector_size(sizeof(Wide))));

struct VectorWinners {
  Wide best;
  Places place;
};

// kKernel, if it isn't 0, is both sides of the window.
template <int kStride, int kKernel>
[[gnu::always_inline]] inline VectorWinners vector_winners(const float* corner, const PoolGeometry& g) {
  const int height = kKernel == 0 ? g.kernel_height : kKernel;
  const int width = kKernel == 0 ? g.kernel_width : kKernel;
  VectorWinners winners{broadcast<Wide>(kNothing), Places{} + kNoWinner};
  Places place{};
#pragma GCC unroll 3
  for (int tap_y = 0; tap_y < height; ++tap_y, corner += kBandPitch) {
#pragma GCC unroll 3
    for (int tap_x = 0; tap_x < width; ++tap_x, place += 1) {
      const Wide value = kStride == 1 ? load_as<Wide>(corner + tap_x) : every_other(load_as<Wide>(corner + tap_x), load_as<Wide>(corner + tap_x + kWideLanes));
      const Places wins = (value > winners.best) | (value != value);
      winners.best = wins ? value : winners.best;
      winners.place = wins ? place : winners.place;
    }
  }
  return winners;
}

// The winners of a row of a band, as find_winners has them; false where a window has nothing above -infinity.
template <int kStride, int kKernel>
bool find_winners_of_band(Winners& winners, const float* row, const PoolGeometry& g, int count) {
  Places missing{};
  for (int i = 0; i < count; i += kWideLanes) {
    const int first = count < kWideLanes ? 0 : std::min(i, count - kWideLanes);
    const VectorWinners some = vector_winners<kStride, kKernel>(row + first * kStride, g);
    store(winners.best + first, some.best);
    std::memcpy(winners.place + first, &some.place, sizeof some.place);
    const Places found = some.place == kNoWinner;
    if (count >= kWideLanes) missing |= found;
    for (int lane = 0; lane < count && count < kWideLanes; ++lane) missing[lane] |= found[lane];
  }
  bool won = true;
  for (int lane = 0; lane < kWideLanes; ++lane) won &= missing[lane] == 0;
  return won;
}

template <int kStride>
bool find_winners_of_band(Winners& winners, const float* row, const PoolGeometry& g, int count) {
  const bool square = g.kernel_height == g.kernel_width;
  if (square && g.kernel_width == 2) return find_winners_of_band<kStride, 2>(winners, row, g, count);
  if (square && g.kernel_width == 3) return find_winners_of_band<kStride, 3>(winners, row, g, count);
  return find_winners_of_band<kStride, 0>(winners, row, g, count);
}

template <class Stride, class Load, class Keep>
void pool_plane(float* output, const float* plane, const PoolGeometry& g, Stride stride, Load&& load, Keep&& keep) {
  const bool vectors = usual(g);
  for_each_piece(g, [&](int begin, int end) {
    Winners winners;
    Band band;
    for (int first_y = 0; first_y < g.out_height; first_y += kBandRows) {
      const int rows = std::min(kBandRows, g.out_height - first_y);
      if (vectors) band.read(plane, g, first_y, rows, begin, end, load);
      for (int y = first_y; y < first_y + rows; ++y) {
        const auto* row = band.rows[(y - first_y) * g.stride_height];
        const bool found = vectors && (g.stride_width == 1 ? find_winners_of_band<1>(winners, row, g, end - begin)
                                                           : find_winners_of_band<2>(winners, row, g, end - begin));
        if (!found) find_winners(winners, plane, g, y, begin, end, stride, load);
        const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
        std::copy_n(winners.best, end - begin, output + first);
        keep(first, winners, end - begin);
      }
    }
  });
}

// The larger of the two, and a NaN if there is one.
Vector larger(Vector value, Vector best) {
  const Vector most = value > best ? value : best;  // the best where either is a NaN
  return value != value ? value : most;
}

// Outputs of a row of a band where nobody asks which element won: the rows of the windows are compared first, then their columns.
template <int kStride>
void largest_of_band(float* to, const float (*rows)[kBandPitch], const PoolGeometry& g, int count) {
  alignas(32) float tallest[kBandPitch];
  const int width = (count - 1) * kStride + g.kernel_width + kMostStride * kLanes;
  for (int i = 0; i < width; i += kLanes) {
    Vector best = load(rows[0] + i);
    for (int row = 1; row < g.kernel_height; ++row) best = larger(load(rows[row] + i), best);
    store(tallest + i, best);
  }
  for (int i = 0; i < count; i += kLanes) {
    const int first = count < kLanes ? 0 : std::min(i, count - kLanes);
    const auto at = [&](int tap) { return kStride == 1 ? load(tallest + first + tap) : load_apart(tallest + first * kStride + tap); };
    Vector best = at(0);
    for (int tap = 1; tap < g.kernel_width; ++tap) best = larger(at(tap), best);
    store_first(to + first, best, count);
  }
}

template <class Load>
void largest_of_plane(float* output, const float* plane, const PoolGeometry& g, Load&& load) {
  for_each_piece(g, [&](int begin, int end) {
    Band band;
    for (int first_y = 0; first_y < g.out_height; first_y += kBandRows) {
      const int rows = std::min(kBandRows, g.out_height - first_y);
      band.read(plane, g, first_y, rows, begin, end, load);
      for (int y = 0; y < rows; ++y) {
        float* const to = output + static_cast<std::ptrdiff_t>(first_y + y) * g.out_width + begin;
        const auto* from = band.rows + y * g.stride_height;
        (g.stride_width == 1 ? largest_of_band<1> : largest_of_band<2>)(to, from, g, end - begin);
      }
    }
  });
}

// Calls work(plane's output, its input, where its output begins in the block, the block, the map as it is loaded) for all planes.
template <class Work>
void for_each_map(Blocked output, const Loaded& input, const PoolGeometry& g, int batch, Work&& work) {
  const std::ptrdiff_t channel_floats = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * g.block;
  for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
    float* to = output.block(block) + out_offset;
    const float* plane = input.map.block(block) + in_offset;
    with_channel_map(input, static_cast<int>(in_offset / channel_floats), g.channels,
                     [&](const auto& map) { work(to, plane, block, out_offset, map); });
  });
}

template <class Keep>
void pool(Blocked output, const Loaded& input, const PoolGeometry& g, int batch, Keep&& keep) {
  with_stride(g.stride_width, [&](auto stride) {
    for_each_map(output, input, g, batch, [&](float* to, const float* plane, int block, std::ptrdiff_t out_offset, const auto& map) {
      pool_plane(to, plane, g, stride, map, [&](std::ptrdiff_t first, const Winners& winners, int count) {
        keep(block, out_offset + first, winners, count);
      });
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
  if (usual(geometry)) {
    return for_each_map(output, input, geometry, batch, [&](float* to, const float* plane, int, std::ptrdiff_t, const auto& map) {
      largest_of_plane(to, plane, geometry, map);
    });
  }
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
