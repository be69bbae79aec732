// How kernels that work element by element cut a map into tiles, and sums whose order is fixed. For kernels'
// sources only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "cnn/core/team.hpp"
#include "cnn/core/types.hpp"

namespace cnn {

/// A tile's elements: enough to be worth a thread's while, few enough to stay in the first-level cache.
inline constexpr int kTileElements = 4096;

/// Calls `work(block, channel_begin, channel_end, images)` for ranges of channels of each block, as tiles of
/// the team.
template <class Work>
void for_each_channels(const MapGeometry& geometry, int batch, Work&& work) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(geometry.block) * geometry.pixels();
  const int channels =
      static_cast<int>(std::clamp<std::ptrdiff_t>(kTileElements / row, 1, geometry.channels));
  const int tiles = (geometry.channels + channels - 1) / channels;
  for_each_tile(block_count(batch, geometry.block) * tiles, [&](int tile) {
    const int block = tile / tiles;
    const int begin = tile % tiles * channels;
    work(block, begin, std::min(begin + channels, geometry.channels),
         images_in_block(batch, geometry.block, block));
  });
}

/// Calls `work(block, plane)` for each image's channel, as tiles of the team; plane = channel * NB + the
/// image's place, so a map's plane begins at plane * its pixels.
template <class Work>
void for_each_map_plane(const MapGeometry& geometry, int batch, Work&& work) {
  for_each_channels(geometry, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      for (int image = 0; image < images; ++image)
        work(block, static_cast<std::ptrdiff_t>(channel) * geometry.block + image);
    }
  });
}

/// Calls `work(block, offset, count)` for runs of elements that lie side by side in a block and belong to
/// images that exist.
template <class Work>
void for_each_run(const MapGeometry& geometry, int batch, Work&& work) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(geometry.block) * geometry.pixels();
  for_each_channels(geometry, batch, [&](int block, int begin, int end, int images) {
    if (images == geometry.block) return work(block, begin * row, (end - begin) * row);
    for (int channel = begin; channel < end; ++channel) {
      work(block, channel * row, static_cast<std::ptrdiff_t>(images) * geometry.pixels());
    }
  });
}

/// Calls `work(std::integral_constant stride)` for the usual strides, `work(stride)` for others: loops over a
/// row with a stride that the compiler knows become vectors.
template <class Work>
void with_stride(int stride, Work&& work) {
  if (stride == 1) return work(std::integral_constant<int, 1>());
  if (stride == 2) return work(std::integral_constant<int, 2>());
  work(stride);
}

/// Sum of `term(0) .. term(count - 1)` in double, in eight lanes that are added in order.
template <class Term>
double sum_terms(std::ptrdiff_t count, Term&& term) {
  constexpr int kLanes = 8;
  double lanes[kLanes] = {};
  std::ptrdiff_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<double>(term(i + lane));
  }
  for (int lane = 0; i < count; ++i, ++lane) lanes[lane] += static_cast<double>(term(i));
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

/// As sum_terms for two sums at once: `term(i)` is a pair.
template <class Term>
std::pair<double, double> sum_pairs(std::ptrdiff_t count, Term&& term) {
  constexpr int kLanes = 8;
  double first[kLanes] = {}, second[kLanes] = {};
  const auto take = [&](std::ptrdiff_t i, int lane) {
    const auto [a, b] = term(i);
    first[lane] += static_cast<double>(a);
    second[lane] += static_cast<double>(b);
  };
  std::ptrdiff_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) take(i + lane, lane);
  }
  for (int lane = 0; i < count; ++i, ++lane) take(i, lane);
  double a = 0, b = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    a += first[lane];
    b += second[lane];
  }
  return {a, b};
}

/// sums[channel] = the sum over the batch and the pixels of a channel, in one order: the gradient of a bias.
inline void sum_channels(Floats sums, ConstBlocked map, const MapGeometry& g, int batch) {
  for_each_tile(g.channels, [&](int channel) {
    double sum = 0;
    for (int block = 0; block < block_count(batch, g.block); ++block) {
      const float* row = map.block(block) + static_cast<std::ptrdiff_t>(channel) * g.block * g.pixels();
      sum += sum_terms(static_cast<std::ptrdiff_t>(images_in_block(batch, g.block, block)) * g.pixels(),
                       [row](std::ptrdiff_t i) { return row[i]; });
    }
    sums[channel] = static_cast<float>(sum);
  });
}

}  // namespace cnn
