// Operands of kernels under test: blocked maps that are NaN wherever a kernel has not written, random
// numbers, and comparisons with values in double.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "cnn/core/types.hpp"
#include "cnn/ops/loaded.hpp"

namespace cnn::tests {

/// Values in the order of NCHW, or of a parameter.
using Doubles = std::vector<double>;

/// Numbers that are the same at each run. All are floats, so that a kernel and the reference start from the
/// same.
class Numbers {
 public:
  explicit Numbers(unsigned seed) : engine_(seed) {}

  /// Uniform in [least, most).
  Doubles uniform(std::size_t count, double least = -1, double most = 1);
  /// Labels in [0, classes).
  std::vector<int> labels(int count, int classes);

 private:
  std::mt19937 engine_;
};

void* guarded_memory(std::size_t bytes);
void free_guarded_memory(void* data, std::size_t bytes);

/// Memory that ends where a page begins that nobody may touch: a program's images are the caller's, and what is behind them is unknown.
template <class T>
struct GuardedAllocator {
  using value_type = T;
  GuardedAllocator() = default;
  template <class Other>
  GuardedAllocator(const GuardedAllocator<Other>&) {}  // NOLINT: as allocators convert
  T* allocate(std::size_t count) { return static_cast<T*>(guarded_memory(count * sizeof(T))); }
  void deallocate(T* data, std::size_t count) { free_guarded_memory(data, count * sizeof(T)); }
  friend bool operator==(const GuardedAllocator&, const GuardedAllocator&) { return true; }
};

using MapBuffer = std::vector<float, GuardedAllocator<float>>;

/// A batch in the blocked layout, in a buffer that is larger: blocks are further apart than what they hold. Behind the last one is nothing.
class Map {
 public:
  /// All NaN.
  Map(const MapGeometry& geometry, int batch);
  /// The images of `values`, NaN in the places of missing images and between the blocks.
  Map(const MapGeometry& geometry, int batch, const Doubles& values);

  operator Blocked() { return {buffer_.data() + kBefore, stride_}; }  // NOLINT: as a kernel's operand
  operator ConstBlocked() const {
    return {buffer_.data() + kBefore, stride_};
  }  // NOLINT: as a kernel's operand

  /// The images, in the order of NCHW.
  Doubles values() const;
  /// Whether all outside the blocks is still NaN.
  bool surroundings_intact() const;
  const MapBuffer& buffer() const { return buffer_; }

 private:
  static constexpr int kBefore = 3;  // so that nothing is aligned
  static constexpr int kBetween = 5;

  /// Calls visit(index in NCHW, index in the buffer) for each element of an image.
  void visit(const std::function<void(std::size_t, std::size_t)>& visit) const;

  MapGeometry geometry_;
  int batch_;
  std::ptrdiff_t stride_;
  MapBuffer buffer_;
};

/// Scratch of a kernel, all NaN.
class TestScratch {
 public:
  TestScratch(const ScratchSize& size, int threads);
  /// As little as a kernel can do with.
  static TestScratch least(ScratchSize size, int threads);

  operator const Scratch&() const { return scratch_; }  // NOLINT: as a kernel's operand
  /// How many of the threads have written to their part.
  int threads_that_wrote() const;

 private:
  std::vector<float> shared_, threads_;
  Scratch scratch_;
};

/// A parameter, or a gradient of one, as the kernel takes it; without values all NaN.
std::vector<float> floats(const Doubles& values);
std::vector<float> unwritten(std::size_t count);
Doubles doubles(const std::vector<float>& values);

/// Runs work() on a team of threads: kernels are collective.
void on_team(const std::function<void()>& work, int threads = 1);

/// Each value is within `tolerance` of what is expected, relative to the largest expected, or to
/// `least_scale` where sums may cancel; NaN never is.
void expect_close(const Doubles& actual, const Doubles& expected, double tolerance, const std::string& what,
                  double least_scale = 0);

/// `gradient` is that of sum(forward(at) * d_output), by central differences; fails if it is zero everywhere.
void expect_gradient(const std::function<Doubles(const Doubles&)>& forward, const Doubles& at,
                     const Doubles& d_output, const Doubles& gradient, const std::string& what,
                     double tolerance = 1e-4);

/// kernel(output, input, batch) gives the same for a map that it scales, shifts and cuts off as it loads as for one where all that
/// is done already.
void expect_loads(const MapGeometry& input, const MapGeometry& output, int batch,
                  const std::function<void(Blocked, const Loaded&, int)>& kernel);

/// Batches and NB that make full, short and single blocks.
struct Batching {
  int batch, block;
};
inline constexpr Batching kBatchings[] = {{1, 1}, {5, 1}, {5, 2}, {5, 4}, {5, 8}, {1, 4}, {8, 8}};

}  // namespace cnn::tests
