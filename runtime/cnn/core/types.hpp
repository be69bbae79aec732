// The operands of kernels: spans of floats, and views of activations in the blocked layout. Nothing here owns memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace cnn {

using Floats = std::span<float>;
using ConstFloats = std::span<const float>;
using Labels = std::span<const int>;

/// Activations in NB-blocked channel-major layout [N/NB][C][NB][H][W]: `data` is block 0, and blocks are `stride` floats
/// apart. Inside a block all is contiguous. A slice of channels is the same with a later `data`. NB = 1 is NCHW.
struct Blocked {
  float* data = nullptr;
  std::ptrdiff_t stride = 0;

  float* block(int index) const { return data + index * stride; }
};

struct ConstBlocked {
  const float* data = nullptr;
  std::ptrdiff_t stride = 0;

  ConstBlocked() = default;
  constexpr ConstBlocked(const float* data, std::ptrdiff_t stride) : data(data), stride(stride) {}
  constexpr ConstBlocked(const Blocked& other) : data(other.data), stride(other.stride) {}  // NOLINT: as span to const
  const float* block(int index) const { return data + index * stride; }
};

/// One image's shape and NB: all that a kernel without weights needs to know. A flat tensor has height = width = 1.
struct MapGeometry {
  int channels = 0;
  int height = 1;
  int width = 1;
  int block = 1;

  constexpr int pixels() const { return height * width; }
  constexpr int elements() const { return channels * height * width; }
};

/// Blocks that hold `batch` images, the last one perhaps short.
constexpr int block_count(int batch, int block) { return (batch + block - 1) / block; }
/// Images in block `index`: NB, or fewer in the last one, whose strides stay those of NB.
constexpr int images_in_block(int batch, int block, int index) {
  const int left = batch - index * block;
  return left < block ? left : block;
}

/// Memory a kernel may use while it runs: `per_thread` floats for each thread of the team, and `shared_floats` shared by all.
struct Scratch {
  float* shared = nullptr;
  float* threads = nullptr;
  std::size_t per_thread = 0;
  std::size_t shared_floats = std::numeric_limits<std::size_t>::max();

  float* thread(int rank) const { return threads + static_cast<std::size_t>(rank) * per_thread; }
};

/// Floats that a kernel needs of each part for a geometry; cards say the same, and generated code asserts that they agree. Where
/// `least_shared` is given, so many do as well, and take longer; what comes out is the same, bit for bit.
struct ScratchSize {
  std::size_t per_thread = 0;
  std::size_t shared = 0;
  std::size_t least_shared = 0;

  friend constexpr bool operator==(const ScratchSize&, const ScratchSize&) = default;
};

/// Names one step's random numbers: same key, stream and element, same number.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t first_image = 0;  // of the step's, where a kernel is given only some of them
};

/// The images of a loss's call, and the labels of all images in whose mean their losses are.
struct LossBatch {
  int images = 0;
  Labels all{};  // empty: the call has them all

  LossBatch(int images, Labels all = {}) : images(images), all(all) {}  // NOLINT: a number of images is a batch
  int in_mean() const { return all.empty() ? images : static_cast<int>(all.size()); }
};

}  // namespace cnn
