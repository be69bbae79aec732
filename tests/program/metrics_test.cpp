// Accuracy, top-5 and the running loss.
#include "cnn/training/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace {

TEST(CountCorrect, TakesTheHighestScore) {
  const std::vector<float> scores = {0.1f, 0.7f, 0.2f, 0.5f, 0.3f, 0.2f};
  EXPECT_EQ(cnn::count_correct(scores, std::vector<int>{1, 0}, 3, 1), 2);
  EXPECT_EQ(cnn::count_correct(scores, std::vector<int>{2, 2}, 3, 1), 0);
  EXPECT_EQ(cnn::count_correct(scores, std::vector<int>{2, 2}, 3, 2), 1);
}

TEST(CountCorrect, LowestIndexWinsATie) {
  const std::vector<float> scores = {1.0f, 1.0f, 0.0f};
  EXPECT_EQ(cnn::count_correct(scores, std::vector<int>{0}, 3, 1), 1);
  EXPECT_EQ(cnn::count_correct(scores, std::vector<int>{1}, 3, 1), 0);
  EXPECT_EQ(cnn::count_correct(scores, std::vector<int>{1}, 3, 2), 1);
}

TEST(CountCorrect, NotANumberIsNeverRight) {
  const std::vector<float> all(3, std::nanf(""));
  EXPECT_EQ(cnn::count_correct(all, std::vector<int>{0}, 3, 1), 0);
  const std::vector<float> other = {std::nanf(""), 1.0f, 0.0f};
  EXPECT_EQ(cnn::count_correct(other, std::vector<int>{1}, 3, 1), 0);
}

TEST(Tally, AddsBatchesOfAnySize) {
  cnn::Tally tally;
  const std::vector<float> scores = {0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0};
  tally.add(std::vector<float>{0.5f, 1.5f}, scores, std::vector<int>{6, 3}, 7);
  EXPECT_EQ(tally.images, 2);
  EXPECT_DOUBLE_EQ(tally.mean_loss(), 1.0);
  EXPECT_DOUBLE_EQ(tally.accuracy(), 0.5);
  EXPECT_DOUBLE_EQ(tally.top5(), 1.0);
  tally.add(std::vector<float>{4.0f}, std::vector<float>{0, 0, 0, 0, 0, 0, 0}, std::vector<int>{5}, 7);
  EXPECT_DOUBLE_EQ(tally.mean_loss(), 2.0);
  EXPECT_DOUBLE_EQ(tally.accuracy(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(tally.top5(), 2.0 / 3);
}

}  // namespace
