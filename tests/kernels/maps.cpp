// Operands and comparisons of the kernels' tests.
#include "maps.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cnn/core/sgemm.hpp"
#include "cnn/core/team.hpp"

namespace cnn::tests {

namespace {

constexpr float kUnwritten = std::numeric_limits<float>::quiet_NaN();

double largest(const Doubles& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

}  // namespace

Doubles Numbers::uniform(std::size_t count, double least, double most) {
  Doubles result(count);
  for (double& value : result) {
    value = static_cast<float>(least + (most - least) * (static_cast<double>(engine_()) * 0x1p-32));
  }
  return result;
}

std::vector<int> Numbers::labels(int count, int classes) {
  std::vector<int> result(static_cast<std::size_t>(count));
  for (int& label : result) label = static_cast<int>(engine_() % static_cast<unsigned>(classes));
  return result;
}

namespace {

std::size_t pages(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

}  // namespace

void* guarded_memory(std::size_t bytes) {
  const std::size_t whole = pages(bytes), guard = pages(1);
  void* begin = mmap(nullptr, whole + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED || mprotect(static_cast<char*>(begin) + whole, guard, PROT_NONE) != 0) throw std::bad_alloc();
  return static_cast<char*>(begin) + whole - bytes;
}

void free_guarded_memory(void* data, std::size_t bytes) {
  const std::size_t whole = pages(bytes);
  munmap(static_cast<char*>(data) - (whole - bytes), whole + pages(1));
}

Map::Map(const MapGeometry& geometry, int batch)
    : geometry_(geometry),
      batch_(batch),
      stride_(static_cast<std::ptrdiff_t>(geometry.elements()) * geometry.block + kBetween),
      buffer_(static_cast<std::size_t>(kBefore + stride_ * block_count(batch, geometry.block) - kBetween), kUnwritten) {}

Map::Map(const MapGeometry& geometry, int batch, const Doubles& values) : Map(geometry, batch) {
  EXPECT_EQ(values.size(), static_cast<std::size_t>(geometry.elements()) * static_cast<std::size_t>(batch));
  visit(
      [&](std::size_t plain, std::size_t blocked) { buffer_[blocked] = static_cast<float>(values[plain]); });
}

void Map::visit(const std::function<void(std::size_t, std::size_t)>& visit) const {
  std::size_t plain = 0;
  for (int image = 0; image < batch_; ++image) {
    for (int channel = 0; channel < geometry_.channels; ++channel) {
      for (int pixel = 0; pixel < geometry_.pixels(); ++pixel) {
        const std::ptrdiff_t plane =
            static_cast<std::ptrdiff_t>(channel) * geometry_.block + image % geometry_.block;
        const std::ptrdiff_t place = plane * geometry_.pixels() + pixel;
        visit(plain++, static_cast<std::size_t>(kBefore + image / geometry_.block * stride_ + place));
      }
    }
  }
}

Doubles Map::values() const {
  Doubles result(static_cast<std::size_t>(geometry_.elements()) * static_cast<std::size_t>(batch_));
  visit([&](std::size_t plain, std::size_t blocked) { result[plain] = buffer_[blocked]; });
  return result;
}

bool Map::surroundings_intact() const {
  for (std::size_t i = 0; i < buffer_.size(); ++i) {
    const auto place = (static_cast<std::ptrdiff_t>(i) - kBefore) % stride_;
    if ((place < 0 || place >= stride_ - kBetween) && !std::isnan(buffer_[i])) return false;
  }
  return true;
}

TestScratch::TestScratch(const ScratchSize& size, int threads)
    : shared_(size.shared, kUnwritten),
      threads_(size.per_thread * static_cast<std::size_t>(threads), kUnwritten),
      scratch_{shared_.data(), threads_.data(), size.per_thread, size.shared} {}

TestScratch TestScratch::least(ScratchSize size, int threads) {
  if (size.least_shared > 0) size.shared = size.least_shared;
  return TestScratch(size, threads);
}

int TestScratch::threads_that_wrote() const {
  int result = 0;
  for (auto part = threads_.begin(); part != threads_.end();
       part += static_cast<std::ptrdiff_t>(scratch_.per_thread)) {
    const auto end = part + static_cast<std::ptrdiff_t>(scratch_.per_thread);
    result += std::any_of(part, end, [](float value) { return !std::isnan(value); }) ? 1 : 0;
  }
  return result;
}

std::vector<float> floats(const Doubles& values) {
  return {values.begin(), values.end()};
}
std::vector<float> unwritten(std::size_t count) {
  return std::vector<float>(count, kUnwritten);
}
Doubles doubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

void on_team(const std::function<void()>& work, int threads) {
  prepare_blas();
  run_team(threads, work);
}

void expect_close(const Doubles& actual, const Doubles& expected, double tolerance, const std::string& what,
                  double least_scale) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  const double scale = std::max(largest(expected), least_scale);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool close = std::abs(actual[i] - expected[i]) <= tolerance * scale + 1e-30;
    ASSERT_TRUE(close) << what << "[" << i << "] is " << actual[i] << ", should be " << expected[i]
                       << "; relative to " << scale;
  }
}

void expect_gradient(const std::function<Doubles(const Doubles&)>& forward, const Doubles& at,
                     const Doubles& d_output, const Doubles& gradient, const std::string& what,
                     double tolerance) {
  constexpr double kStep = 1e-5;
  ASSERT_EQ(gradient.size(), at.size()) << what;
  const auto loss = [&](const Doubles& x) {
    const Doubles output = forward(x);
    EXPECT_EQ(output.size(), d_output.size()) << what;
    double sum = 0;
    for (std::size_t i = 0; i < output.size(); ++i) sum += output[i] * d_output[i];
    return sum;
  };
  Doubles differences(at.size());
  Doubles moved = at;
  for (std::size_t i = 0; i < at.size(); ++i) {
    moved[i] = at[i] + kStep;
    const double above = loss(moved);
    moved[i] = at[i] - kStep;
    differences[i] = (above - loss(moved)) / (2 * kStep);
    moved[i] = at[i];
  }
  ASSERT_GT(largest(differences), 1e-3) << what << ": all gradients are zero, so nothing is checked";
  expect_close(gradient, differences, tolerance, what);
}

void expect_loads(const MapGeometry& input, const MapGeometry& output, int batch,
                  const std::function<void(Blocked, const Loaded&, int)>& kernel) {
  Numbers numbers(16);
  const Doubles values = numbers.uniform(static_cast<std::size_t>(input.elements() * batch), -9, 9);
  const auto channels = static_cast<std::size_t>(input.channels);
  const Doubles affine = numbers.uniform(2 * channels, -1.5, 1.5);
  const std::vector<float> scale_and_shift = floats(affine);
  Doubles mapped = values;
  for (std::size_t i = 0; i < mapped.size(); ++i) {
    const std::size_t channel = i / static_cast<std::size_t>(input.pixels()) % channels;
    mapped[i] = std::clamp(values[i] * affine[channel] + affine[channels + channel], 0.0, 6.0);
  }
  const Map x(input, batch, values), done(input, batch, mapped);
  Map y(output, batch), expected(output, batch);
  on_team([&] {
    kernel(y, Loaded(x, scale_and_shift, Activation::kRelu6), batch);
    kernel(expected, done, batch);
  });
  EXPECT_TRUE(y.surroundings_intact());
  expect_close(y.values(), expected.values(), 1e-6, "output", 1);
}

}  // namespace cnn::tests
