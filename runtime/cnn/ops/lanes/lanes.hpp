// Sixteen images at a time, as kernels on lanes work. For their sources only.
//
// The lanes of missing images, in a short last block, are computed like the others and mean nothing: no lane ever looks at
// another until gradients are summed up, and there only lanes of images count.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cnn/core/team.hpp"
#include "cnn/core/types.hpp"
#include "cnn/core/vector.hpp"
#include "cnn/ops/lanes/layout.hpp"

namespace cnn::lanes {

#if defined(__AVX512F__)

/// One element of sixteen images: a register.
using Images = Wide;

[[gnu::always_inline]] inline Images load_images(const float* from) { return load_as<Images>(from); }
[[gnu::always_inline]] inline void store_images(float* to, const Images& images) { store(to, images); }

/// The same number for all of them.
[[gnu::always_inline]] inline Images all_images(float value) { return broadcast<Images>(value); }

/// Not loaded again where it is used twice: loads are what kernels are short of.
[[gnu::always_inline]] inline Images loaded_once(Images images) {
  asm("" : "+v"(images));
  return images;
}

[[gnu::always_inline]] inline Vector low_half(const Images& images) { return half_of<0>(images); }
[[gnu::always_inline]] inline Vector high_half(const Images& images) { return half_of<1>(images); }

#else

/// One element of sixteen images: two registers of eight.
struct Images {
  Vector low, high;

  [[gnu::always_inline]] Images& operator+=(const Images& other) {
    low += other.low;
    high += other.high;
    return *this;
  }
};

[[gnu::always_inline]] inline Images operator*(const Images& images, float factor) {
  return {images.low * factor, images.high * factor};
}

[[gnu::always_inline]] inline Images load_images(const float* from) { return {load(from), load(from + kLanes)}; }

[[gnu::always_inline]] inline void store_images(float* to, const Images& images) {
  store(to, images.low);
  store(to + kLanes, images.high);
}

[[gnu::always_inline]] inline Images loaded_once(const Images& images) { return {once(images.low), once(images.high)}; }

/// The same number for all of them.
[[gnu::always_inline]] inline Images all_images(float value) { return {broadcast(value), broadcast(value)}; }

[[gnu::always_inline]] inline Vector low_half(const Images& images) { return images.low; }
[[gnu::always_inline]] inline Vector high_half(const Images& images) { return images.high; }

#endif

/// The sum over the first `images` lanes of eight, in one order however many there are.
[[gnu::always_inline]] inline float sum_lanes(Vector value, int images) {
  using Numbers = std::int32_t __attribute__((vector_size(32)));
  constexpr Numbers kNumbers = {0, 1, 2, 3, 4, 5, 6, 7};
  const Vector chosen = kNumbers < images ? value : Vector{};  // what isn't an image's may be NaN
  const Vector fours = chosen + __builtin_shufflevector(chosen, chosen, 4, 5, 6, 7, 0, 1, 2, 3);
  const Vector pairs = fours + __builtin_shufflevector(fours, fours, 2, 3, 0, 1, 6, 7, 4, 5);
  return pairs[0] + pairs[1];
}

/// The sum over the first `images` of sixteen.
[[gnu::always_inline]] inline float sum_images(const Images& value, int images) {
  return sum_lanes(low_half(value), images) + sum_lanes(high_half(value), images - kLanes);
}

/// Units of work that a block is cut into, so that tiles are small enough to share out and large enough to be worth it:
/// `units` of `work` multiplications each, counted for one image.
constexpr int units_in_tile(int units, std::ptrdiff_t work) {
  constexpr std::ptrdiff_t kTileWork = 1 << 15;
  return static_cast<int>(std::clamp<std::ptrdiff_t>(kTileWork / std::max<std::ptrdiff_t>(work, 1), 1, units));
}

/// Calls `work(block, begin, end)` for ranges of `units` units of each block, as tiles of the team.
template <class Work>
void for_each_range(int batch, int units, int in_tile, Work&& work) {
  const int tiles = (units + in_tile - 1) / in_tile;
  for_each_tile(block_count(batch, kImages) * tiles, [&](int tile) {
    const int begin = tile % tiles * in_tile;
    work(tile / tiles, begin, std::min(begin + in_tile, units));
  });
}

/// sums[i] = the sum over the batch of feature i: the gradient of a dense layer's bias.
inline void sum_images(Floats sums, ConstBlocked features, int count, int batch) {
  constexpr int kInTile = 64;
  for_each_tile((count + kInTile - 1) / kInTile, [&](int tile) {
    for (int i = tile * kInTile; i < std::min((tile + 1) * kInTile, count); ++i) {
      float sum = 0;
      for (int block = 0; block < block_count(batch, kImages); ++block) {
        const int images = images_in_block(batch, kImages, block);
        sum += sum_images(load_images(features.block(block) + static_cast<std::ptrdiff_t>(i) * kImages), images);
      }
      sums[i] = sum;
    }
  });
}

}  // namespace cnn::lanes
