// Philox against its authors' known answers, and the distributions made from it.
#include "cnn/core/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace cnn::tests {

// The known answers published with Random123, for philox4x32-10.
TEST(Random, PhiloxGivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, EachPartOfTheNameMatters) {
  const RandomKey keys[] = {
      {1, 1}, {2, 1}, {1, 2}, {1 + (std::uint64_t{1} << 32), 1}, {1, 1 + (std::uint64_t{1} << 32)}};
  std::set<PhiloxCounter> seen;
  for (const RandomKey& key : keys) {
    for (const std::uint32_t stream : {0u, 1u}) {
      for (const std::uint32_t quad : {0u, 1u}) seen.insert(random_words(key, stream, quad));
    }
  }
  EXPECT_EQ(seen.size(), 20u);
}

TEST(Random, UniformIsAtLeastZeroAndBelowOne) {
  EXPECT_EQ(to_uniform(0), 0);
  EXPECT_LT(to_uniform(0xffffffff), 1);
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 100000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const double value = uniform({1, 2}, 3, i);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kCount, 0.5, 4 * std::sqrt(1.0 / 12 / kCount));
  EXPECT_NEAR(squares / kCount, 1.0 / 3, 4 * std::sqrt(4.0 / 45 / kCount));
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  double sum = 0;
  double squares = 0;
  double products = 0;
  constexpr int kCount = 100000;
  for (std::uint64_t i = 0; i < kCount; i += 2) {
    const double first = normal({1, 2}, 3, i);
    const double second = normal({1, 2}, 3, i + 1);
    sum += first + second;
    squares += first * first + second * second;
    products += first * second;
  }
  EXPECT_NEAR(sum / kCount, 0, 4 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 1, 4 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(products / (kCount / 2), 0, 4 / std::sqrt(kCount / 2));
}

}  // namespace cnn::tests
