// Max pooling, pieces of a few rows of outputs at a time: by vectors where windows are usual and there is no NaN, else element by element.
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

// The usual windows by vectors, a band of rows of outputs at a time: what they read is copied, with -infinity where there is no element;
// then the largest are found, first down the columns and then along the rows; then which of its window's elements each of them is.
// Every step goes over the whole band before the next one begins, so that nothing is read that has only just been stored.
constexpr int kBandRows = 7;
constexpr int kMostKernel = 15;
constexpr int kMostStride = 2;
constexpr int kBandPitch = (kPoolPiece - 1) * kMostStride + kMostKernel + 3 * kWideLanes;
constexpr float kNothing = -std::numeric_limits<float>::infinity();

bool usual(const PoolGeometry& g) {
  return g.stride_height <= kMostStride && g.stride_width <= kMostStride && g.kernel_height <= kMostKernel &&
         g.kernel_width <= kMostKernel && g.kernel_height * g.kernel_width < kNoWinner;
}

// Rows [y, y + rows) of outputs [begin, end) of each.
struct BandPlace {
  int y, rows, begin, end;

  int count() const { return end - begin; }
};

using Places = std::int32_t __attribute__((vector_size(sizeof(Wide))));
using PlaceBytes = std::uint8_t __attribute__((vector_size(kWideLanes)));

class Band {
 public:
  // False if there is a NaN.
  template <class Map>
  bool read(const float* plane, const PoolGeometry& g, const BandPlace& at, const Map& map) {
    const int first = at.begin * g.stride_width - g.pad_left;
    const int width = (at.count() - 1) * g.stride_width + g.kernel_width;
    const int inside_begin = std::clamp(-first, 0, width), inside_end = std::clamp(g.in_width - first, inside_begin, width);
    const int height = (at.rows - 1) * g.stride_height + g.kernel_height;
    using Unordered = std::int32_t __attribute__((vector_size(sizeof(Vector))));
    Unordered unordered{};
    const auto noting = [&](Vector value) {
      value = map(value);
      unordered |= value != value;
      return value;
    };
    for (int row = 0; row < height; ++row) {
      const int in_y = at.y * g.stride_height - g.pad_top + row;
      const bool inside = in_y >= 0 && in_y < g.in_height;
      const int from = inside ? inside_begin : 0, to = inside ? inside_end : 0;
      nothing(rows_[row], from);
      if (from < to) copy_mapped(rows_[row] + from, plane + static_cast<std::ptrdiff_t>(in_y) * g.in_width + first + from, to - from, noting);
      nothing(rows_[row] + to, width + kMostStride * kWideLanes - to);
    }
    int any = 0;
    for (int lane = 0; lane < kLanes; ++lane) any |= unordered[lane];
    return any == 0;
  }

  template <class Stride>
  void find_largest(const PoolGeometry& g, const BandPlace& at, Stride) {
    const int width = (at.count() - 1) * Stride::value + g.kernel_width;
    for (int y = 0; y < at.rows; ++y) {
      const auto* const rows = rows_ + y * g.stride_height;
      for (int i = 0; i < width; i += kWideLanes) {
        Wide most = load_as<Wide>(rows[0] + i);
        for (int tap = 1; tap < g.kernel_height; ++tap) most = larger(load_as<Wide>(rows[tap] + i), most);
        store(tallest_[y] + i, most);
      }
    }
    for (int y = 0; y < at.rows; ++y) {
      for (int i = 0; i < at.count(); i += kWideLanes) {
        const float* const from = tallest_[y] + i * Stride::value;
        Wide most = spread<Stride>(from);
        for (int tap = 1; tap < g.kernel_width; ++tap) most = larger(spread<Stride>(from + tap), most);
        store(largest_[y] + i, most);
      }
    }
  }

  // Which elements the largest are. False where padding is among them. kKernel, if it isn't 0, is both sides of the window.
  template <int kKernel, class Stride>
  bool find_places(const PoolGeometry& g, const BandPlace& at, Stride) {
    const int height = kKernel == 0 ? g.kernel_height : kKernel;
    const int width = kKernel == 0 ? g.kernel_width : kKernel;
    Places lane{};
    for (int i = 0; i < kWideLanes; ++i) lane[i] = i;
    Places lost{};
    for (int y = 0; y < at.rows; ++y) {
      const auto* const rows = rows_ + y * g.stride_height;
      for (int i = 0; i < at.count(); i += kWideLanes) {
        const Wide most = load_as<Wide>(largest_[y] + i);
        Places place = Places{} + kNoWinner;
#pragma GCC unroll 3
        for (int tap_y = height - 1; tap_y >= 0; --tap_y) {
#pragma GCC unroll 3
          for (int tap_x = width - 1; tap_x >= 0; --tap_x)  // so that the first of equals is set last
            place = spread<Stride>(rows[tap_y] + i * Stride::value + tap_x) == most ? Places{} + (tap_y * width + tap_x) : place;
        }
        lost |= (most == kNothing) & (lane < at.count() - i);
        const PlaceBytes bytes = __builtin_convertvector(place, PlaceBytes);
        std::memcpy(places_[y] + i, &bytes, sizeof bytes);
      }
    }
    int any = 0;
    for (int i = 0; i < kWideLanes; ++i) any |= lost[i];
    return any == 0;
  }

  const float* largest(int row) const { return largest_[row]; }
  const std::uint8_t* places(int row) const { return places_[row]; }

 private:
  // `count` times, and up to seven more, which the next ones overwrite.
  static void nothing(float* to, int count) {
    const Vector value = once(broadcast(kNothing));
    for (int i = 0; i < count; i += kLanes) store(to + i, value);
  }

  static Wide larger(Wide value, Wide most) { return value > most ? value : most; }

  template <class Stride>
  static Wide spread(const float* from) {
    if constexpr (Stride::value == 1) return load_as<Wide>(from);
    return every_other(load_as<Wide>(from), load_as<Wide>(from + kWideLanes));
  }

  alignas(64) float rows_[(kBandRows - 1) * kMostStride + kMostKernel][kBandPitch];
  alignas(64) float tallest_[kBandRows][kBandPitch];
  alignas(64) float largest_[kBandRows][kPoolPiece];
  alignas(64) std::uint8_t places_[kBandRows][kPoolPiece];
};

// Moves of a fixed size that overlap, as rows are short.
void copy_bytes(std::uint8_t* to, const std::uint8_t* from, int count) {
  const auto ends = [&]<std::size_t kSize>(std::integral_constant<std::size_t, kSize>) {
    std::memcpy(to + count - kSize, from + count - kSize, kSize);
    std::memcpy(to, from, kSize);
  };
  for (; count >= 16; to += 16, from += 16, count -= 16) std::memcpy(to, from, 16);
  if (count >= 8) return ends(std::integral_constant<std::size_t, 8>());
  if (count >= 4) return ends(std::integral_constant<std::size_t, 4>());
  for (int i = 0; i < count; ++i) to[i] = from[i];
}

void copy_row(float* to, const float* from, int count) {
  copy_mapped(to, from, count, [](Vector value) { return value; });
}

// The winners of a band, their places if they are wanted; false where find_winners has to look for them.
template <class Load>
bool find_winners_of_band(Band& band, const float* plane, const PoolGeometry& g, const BandPlace& at, bool places, const Load& load) {
  if (!band.read(plane, g, at, load)) return false;
  const auto find = [&](auto stride) {
    band.find_largest(g, at, stride);
    if (!places) return true;
    if (g.kernel_height == 3 && g.kernel_width == 3) return band.find_places<3>(g, at, stride);
    if (g.kernel_height == 2 && g.kernel_width == 2) return band.find_places<2>(g, at, stride);
    return band.find_places<0>(g, at, stride);
  };
  return g.stride_width == 1 ? find(std::integral_constant<int, 1>()) : find(std::integral_constant<int, 2>());
}

template <class Work>
void for_each_band(const PoolGeometry& g, Work&& work) {
  for_each_piece(g, [&](int begin, int end) {
    for (int y = 0; y < g.out_height; y += kBandRows) work(BandPlace{y, std::min(kBandRows, g.out_height - y), begin, end});
  });
}

// Sets a plane's outputs, and their places unless that is null.
template <class Stride, class Load>
void pool_plane(float* output, std::uint8_t* places, const float* plane, const PoolGeometry& g, Stride stride, const Load& load) {
  Band band;
  for_each_band(g, [&](const BandPlace& at) {
    const bool found = usual(g) && find_winners_of_band(band, plane, g, at, places != nullptr, load);
    for (int row = 0; row < at.rows; ++row) {
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(at.y + row) * g.out_width + at.begin;
      if (found) {
        copy_row(output + first, band.largest(row), at.count());
        if (places != nullptr) copy_bytes(places + first, band.places(row), at.count());
      } else {
        Winners winners;
        find_winners(winners, plane, g, at.y + row, at.begin, at.end, stride, load);
        copy_row(output + first, winners.best, at.count());
        for (int i = 0; places != nullptr && i < at.count(); ++i) places[first + i] = static_cast<std::uint8_t>(winners.place[i]);
      }
    }
  });
}

std::ptrdiff_t block_outputs(const PoolGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.channels) * g.block * g.out_height * g.out_width;
}

// Sets all planes; saved may be null.
void pool(Blocked output, std::uint8_t* saved, const Loaded& input, const PoolGeometry& g, int batch) {
  const std::ptrdiff_t channel_floats = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * g.block;
  with_stride(g.stride_width, [&](auto stride) {
    for_each_pool_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
      std::uint8_t* const places = saved == nullptr ? nullptr : saved + block * block_outputs(g) + out_offset;
      with_channel_map(input, static_cast<int>(in_offset / channel_floats), g.channels, [&](const auto& map) {
        pool_plane(output.block(block) + out_offset, places, input.map.block(block) + in_offset, g, stride, map);
      });
    });
  });
}

}  // namespace

void maxpool(Blocked output, std::span<std::uint8_t> saved, const Loaded& input, const PoolGeometry& geometry,
             int batch) {
  pool(output, saved.data(), input, geometry, batch);
}

void maxpool(Blocked output, const Loaded& input, const PoolGeometry& geometry, int batch) {
  pool(output, nullptr, input, geometry, batch);
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
