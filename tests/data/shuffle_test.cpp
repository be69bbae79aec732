// Orders are permutations, decided by seed and epoch, and no place is favoured; parts are drawn class by
// class.
#include "cnn/data/shuffle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "cnn/data/split.hpp"

namespace cnn {
namespace {

using Rows = std::vector<std::uint32_t>;

Rows sorted(Rows rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

Rows counted(std::uint32_t count) {
  Rows rows(count);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

TEST(Shuffle, IsAPermutation) {
  for (const std::uint32_t count : {0u, 1u, 2u, 3u, 1000u, 60'000u})
    EXPECT_EQ(sorted(epoch_order(count, {.seed = 1, .epoch = 2})), counted(count));
}

TEST(Shuffle, IsDecidedBySeedAndEpochAlone) {
  const Rows order = epoch_order(1000, {.seed = 1, .epoch = 2});
  EXPECT_EQ(order, epoch_order(1000, {.seed = 1, .epoch = 2}));
  EXPECT_NE(order, epoch_order(1000, {.seed = 1, .epoch = 3}));
  EXPECT_NE(order, epoch_order(1000, {.seed = 2, .epoch = 2}));
  EXPECT_NE(order, epoch_order(1000, {.seed = 1 + (std::uint64_t{1} << 32), .epoch = 2}));
  EXPECT_NE(order, epoch_order(1000, {.seed = 1, .epoch = 2 + (std::uint64_t{1} << 32)}));
  EXPECT_NE(order, counted(1000));
}

TEST(Shuffle, FavoursNoOrder) {
  // 24 orders of 4, 24,000 draws: chi-squared with 23 degrees of freedom is below 49.7 in 999 of 1000
  // generators.
  std::map<Rows, int> counts;
  for (std::uint64_t epoch = 0; epoch < 24'000; ++epoch)
    ++counts[epoch_order(4, {.seed = 9, .epoch = epoch})];
  ASSERT_EQ(counts.size(), 24u);
  double chi_squared = 0;
  for (const auto& [order, count] : counts) chi_squared += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi_squared, 49.7);
}

struct Classes {
  std::vector<int> labels;
  std::array<std::size_t, 3> of(const Rows& rows) const {
    std::array<std::size_t, 3> counts{};
    for (const std::uint32_t row : rows) ++counts[labels[row]];
    return counts;
  }
};

Classes classes_of_60_30_10() {
  Classes classes;
  for (int i = 0; i < 100; ++i)
    classes.labels.push_back(static_cast<int>(i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2));
  return classes;
}

TEST(Split, TakesFromEachClassItsShare) {
  const Classes classes = classes_of_60_30_10();
  Rows train = counted(100);
  const Rows validation = take_stratified(train, classes.labels, 20, 1, 0);
  EXPECT_EQ(classes.of(validation), (std::array<std::size_t, 3>{12, 6, 2}));
  EXPECT_EQ(classes.of(train), (std::array<std::size_t, 3>{48, 24, 8}));
  EXPECT_TRUE(std::is_sorted(train.begin(), train.end()));
  EXPECT_TRUE(std::is_sorted(validation.begin(), validation.end()));
  Rows both = train;
  both.insert(both.end(), validation.begin(), validation.end());
  EXPECT_EQ(sorted(both), counted(100));
}

TEST(Split, GivesWhatIsLeftToTheLargestRemainders) {
  const Classes classes = classes_of_60_30_10();
  Rows train = counted(100);
  // 4.2, 2.1, 0.7 of 7: 4, 2 and, with the largest remainder, 1.
  EXPECT_EQ(classes.of(take_stratified(train, classes.labels, 7, 1, 0)),
            (std::array<std::size_t, 3>{4, 2, 1}));
}

TEST(Split, IsDecidedBySeedAndStream) {
  const Classes classes = classes_of_60_30_10();
  const auto taken = [&](std::uint64_t seed, std::uint32_t stream) {
    Rows train = counted(100);
    return take_stratified(train, classes.labels, 20, seed, stream);
  };
  EXPECT_EQ(taken(1, 2), taken(1, 2));
  EXPECT_NE(taken(1, 2), taken(2, 2));
  EXPECT_NE(taken(1, 2), taken(1, 3));
}

TEST(Split, CanTakeNothingOrAll) {
  const Classes classes = classes_of_60_30_10();
  Rows train = counted(100);
  EXPECT_TRUE(take_stratified(train, classes.labels, 0, 1, 0).empty());
  EXPECT_EQ(take_stratified(train, classes.labels, 100, 1, 0), counted(100));
  EXPECT_TRUE(train.empty());
}

}  // namespace
}  // namespace cnn
