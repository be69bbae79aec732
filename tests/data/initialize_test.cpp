// First values have the distribution that a description asks for, and depend on seed and name alone.
#include "cnn/training/initialize.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace cnn {
namespace {

constexpr std::size_t kCount = 100'003;

std::vector<float> values(InitialValues initial, float value, std::string_view name = "conv1.weight",
                          std::uint64_t seed = 1, std::size_t count = kCount) {
  std::vector<float> numbers(count, 99.0f);
  initialize_tensor({.name = name, .initial = initial, .value = value}, seed, numbers);
  return numbers;
}

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const std::vector<float>& numbers) {
  double sum = 0, squares = 0;
  for (const float number : numbers) sum += number;
  const double mean = sum / static_cast<double>(numbers.size());
  for (const float number : numbers) squares += (number - mean) * (number - mean);
  return {mean, std::sqrt(squares / static_cast<double>(numbers.size()))};
}

TEST(Initialize, FillsConstants) {
  EXPECT_EQ(values(InitialValues::kConstant, 0.5f), std::vector<float>(kCount, 0.5f));
}

TEST(Initialize, IsUniform) {
  const std::vector<float> numbers = values(InitialValues::kUniform, 0.2f);
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  EXPECT_GE(*least, -0.2f);
  EXPECT_LT(*least, -0.1999f);
  EXPECT_LT(*most, 0.2f);
  EXPECT_GT(*most, 0.1999f);
  const Moments found = moments(numbers);
  EXPECT_NEAR(found.mean, 0, 4 * 0.2 / std::sqrt(3.0 * kCount));
  EXPECT_NEAR(found.deviation, 0.2 / std::sqrt(3.0), 0.001);
}

TEST(Initialize, IsNormal) {
  const std::vector<float> numbers = values(InitialValues::kNormal, 0.05f);
  const Moments found = moments(numbers);
  EXPECT_NEAR(found.mean, 0, 4 * 0.05 / std::sqrt(static_cast<double>(kCount)));
  EXPECT_NEAR(found.deviation, 0.05, 0.0005);
  // 68.27 % lie within one deviation and 95.45 % within two, give or take 0.15 % and 0.07 %.
  const auto share_within = [&](float bound) {
    return static_cast<double>(std::count_if(numbers.begin(), numbers.end(),
                                             [&](float number) { return std::abs(number) < bound; })) /
           static_cast<double>(kCount);
  };
  EXPECT_NEAR(share_within(0.05f), 0.6827, 0.006);
  EXPECT_NEAR(share_within(0.10f), 0.9545, 0.003);
}

TEST(Initialize, DependsOnSeedAndNameAlone) {
  for (const InitialValues initial : {InitialValues::kUniform, InitialValues::kNormal}) {
    const std::vector<float> numbers = values(initial, 1);
    EXPECT_EQ(numbers, values(initial, 1));
    EXPECT_NE(numbers, values(initial, 1, "conv1.weight", 2));
    EXPECT_NE(numbers, values(initial, 1, "conv2.weight"));
    // A number depends on its place, not on how many there are.
    const std::vector<float> few = values(initial, 1, "conv1.weight", 1, 7);
    EXPECT_TRUE(std::equal(few.begin(), few.end(), numbers.begin()));
  }
}

TEST(Initialize, IsTheSameOnAnyNumberOfThreads) {
  const int threads = omp_get_max_threads();
  for (const InitialValues initial : {InitialValues::kUniform, InitialValues::kNormal}) {
    omp_set_num_threads(1);
    const std::vector<float> alone = values(initial, 1);
    omp_set_num_threads(4);
    EXPECT_EQ(values(initial, 1), alone);
  }
  omp_set_num_threads(threads);
}

}  // namespace
}  // namespace cnn
