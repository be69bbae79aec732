// What the thread prepares equals what is filled directly; it begins anywhere, stops at once, and hands
// errors on.
#include "cnn/data/loader.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include "idx_files.hpp"

namespace cnn {
namespace {

constexpr std::uint32_t kImages = 50;

class LoaderTest : public testing::Test {
 protected:
  static Dataset load() {
    const cnn_tests::TemporaryFolder folder;
    cnn_tests::write_example(folder.path(), kImages, 20);
    return Dataset::load({.source = SourceKind::kIdx}, folder.path(), {1, 4, 4}, 3, 1);
  }

  /// Whether the loader gives just the batches of `order` from `first_step` on.
  void expect_batches(Loader& loader, std::span<const std::uint32_t> order, std::size_t batch,
                      std::size_t first_step) {
    std::size_t begin = first_step * batch;
    while (const Batch* loaded = loader.next()) {
      ASSERT_LT(begin, order.size());
      const auto rows = order.subspan(begin, std::min(batch, order.size() - begin));
      std::vector<float> images(rows.size() * 16);
      std::vector<int> labels(rows.size());
      data_.fill(Part::kTrain, rows, images, labels);
      EXPECT_EQ(std::vector<float>(loaded->images.begin(), loaded->images.end()), images);
      EXPECT_EQ(std::vector<int>(loaded->labels.begin(), loaded->labels.end()), labels);
      begin += rows.size();
    }
    EXPECT_EQ(begin, order.size());
    EXPECT_EQ(loader.next(), nullptr);
  }

  const Dataset data_ = load();
};

TEST_F(LoaderTest, EqualsADirectFill) {
  const std::vector<std::uint32_t> order = epoch_order(kImages, {.seed = 3, .epoch = 4});
  for (const int batch : {1, 7, 10, 49, 50, 1000}) {
    Loader loader(data_, Part::kTrain, batch, Shuffle{.seed = 3, .epoch = 4});
    expect_batches(loader, order, static_cast<std::size_t>(batch), 0);
  }
}

TEST_F(LoaderTest, GoesInTheFilesOrderWithoutAShuffle) {
  std::vector<std::uint32_t> order(kImages);
  for (std::uint32_t i = 0; i < kImages; ++i) order[i] = i;
  Loader loader(data_, Part::kTrain, 8);
  expect_batches(loader, order, 8, 0);
}

TEST_F(LoaderTest, BeginsInsideAnEpoch) {
  const std::vector<std::uint32_t> order = epoch_order(kImages, {.seed = 3, .epoch = 4});
  for (const std::size_t first_step : {1u, 5u, 7u}) {
    Loader loader(data_, Part::kTrain, 7, Shuffle{.seed = 3, .epoch = 4},
                  static_cast<std::int64_t>(first_step));
    expect_batches(loader, order, 7, first_step);
  }
  for (const std::int64_t beyond : {std::int64_t{8}, std::int64_t{9}, std::int64_t{1} << 62}) {
    Loader loader(data_, Part::kTrain, 7, Shuffle{.seed = 3, .epoch = 4}, beyond);
    EXPECT_EQ(loader.next(), nullptr);
  }
}

TEST_F(LoaderTest, KeepsABatchUntilTheNextCall) {
  Loader loader(data_, Part::kTrain, 5);
  while (const Batch* batch = loader.next()) {
    const std::vector<float> images(batch->images.begin(), batch->images.end());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // time for the thread to spoil it
    ASSERT_EQ(std::vector<float>(batch->images.begin(), batch->images.end()), images);
  }
}

TEST_F(LoaderTest, HasNothingOfAnEmptyPart) {
  Loader loader(data_, Part::kValidation, 5);
  EXPECT_EQ(loader.next(), nullptr);
}

TEST_F(LoaderTest, StopsAtAnyMoment) {
  for (int steps = 0; steps < 200; ++steps) {
    Loader loader(data_, Part::kTrain, 1);
    for (int step = 0; step < steps % 7; ++step) ASSERT_NE(loader.next(), nullptr);
  }
}

TEST_F(LoaderTest, HandsErrorsOnAfterTheBatchesBeforeThem) {
  Loader loader(data_, Part::kTrain, 2, {0, 1, 2, 3, 4, kImages, 6});
  ASSERT_NE(loader.next(), nullptr);
  ASSERT_NE(loader.next(), nullptr);
  EXPECT_THROW(loader.next(), std::out_of_range);
  EXPECT_THROW(loader.next(), std::out_of_range);
}

TEST_F(LoaderTest, RefusesEmptyBatches) {
  EXPECT_THROW(Loader(data_, Part::kTrain, 0), std::invalid_argument);
  EXPECT_THROW(Loader(data_, Part::kTrain, 5, Shuffle{}, -1), std::invalid_argument);
}

}  // namespace
}  // namespace cnn
