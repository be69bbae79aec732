// The arena and the checks at its door, on the tiny network.
#include "cnn/network/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "allocation_counter.hpp"
#include "cnn/training/optimizer.hpp"
#include "tiny_network.hpp"

namespace {

std::vector<float> some_images(int count) {
  std::vector<float> images(static_cast<std::size_t>(count * kTinyPixels));
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i * 37 % 101) / 101.0f;
  return images;
}

void fill_parameters(cnn::Network& network) {
  for (std::size_t i = 0; i < network.parameters().size(); ++i)
    network.parameters()[i] = static_cast<float>(i * 53 % 97) / 97.0f - 0.5f;
}

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Network, RegionsAreAlignedAndApart) {
  const auto network = make_tiny_network(3);
  const auto place = [](const float* address) { return reinterpret_cast<std::uintptr_t>(address); };
  EXPECT_EQ(place(network->parameters().data()) % 64, 0u);
  EXPECT_EQ(place(network->optimizer_state().data()) % 64, 0u);
  EXPECT_GE(place(network->gradients().data()),
            place(network->parameters().data()) + 4 * network->parameters().size());
  EXPECT_EQ(network->tensor(2).data(), network->parameters().data() + 144);
  EXPECT_EQ(network->tensor(2).size(), 24u);
  // 192 + 192 + 336 (of 326) + 288 (of 280) + 3 * 16 + 32 (of 24 scores) + 16 (of 8 losses)
  EXPECT_EQ(network->arena_bytes(), 4u * (192 + 192 + 336 + 280 + 8 + 48 + 32 + 16));
  for (const float value : network->parameters()) ASSERT_EQ(value, 0.0f);
}

TEST(Network, RefusesBatchesThatDoNotFit) {
  const auto network = make_tiny_network(1);
  cnn::Optimizer optimizer(network->description(), network->optimizer_state());
  optimizer.begin_phase(0);
  const std::vector<float> images = some_images(kTinyBatch + 1);
  const std::vector<int> labels(kTinyBatch + 1, 0);
  const auto first = [&](int count) {
    return cnn::ConstFloats(images).first(static_cast<std::size_t>(count * kTinyPixels));
  };
  EXPECT_EQ(refusal([&] { network->predict(images, kTinyBatch + 1); }),
            "Tiny is planned for 1 to 8 images at once, not 9");
  EXPECT_EQ(refusal([&] { network->predict({}, 0); }), "Tiny is planned for 1 to 8 images at once, not 0");
  EXPECT_EQ(refusal([&] { network->predict(first(2), 3); }), "3 images of 1x4x4 are 48 floats, not 32");
  EXPECT_EQ(refusal([&] { network->evaluate(images, labels); }),
            "Tiny is planned for 1 to 8 images at once, not 9");
  EXPECT_EQ(refusal([&] { network->evaluate(first(1), std::vector<int>{3}); }),
            "label 3 is not one of Tiny's outputs 0 to 2");
  EXPECT_EQ(refusal([&] { network->train_step(2, first(1), std::vector<int>{0}, {}, optimizer); }),
            "Tiny has 2 phases, so none with index 2");
  EXPECT_EQ(refusal([] { make_tiny_network(0); }), "a network runs on 1 thread or more, not 0");
}

TEST(Network, ResultsHaveTheBatchsSize) {
  const auto network = make_tiny_network(2);
  fill_parameters(*network);
  const std::vector<float> images = some_images(3);
  network->predict(images, 3);
  ASSERT_EQ(network->scores().size(), 9u);
  for (std::size_t image = 0; image < 3; ++image)
    EXPECT_NEAR(
        network->scores()[3 * image] + network->scores()[3 * image + 1] + network->scores()[3 * image + 2], 1,
        1e-6);
  EXPECT_TRUE(network->losses().empty());
  const float loss = network->evaluate(images, std::vector<int>{0, 1, 2});
  ASSERT_EQ(network->losses().size(), 3u);
  EXPECT_FLOAT_EQ(loss, (network->losses()[0] + network->losses()[1] + network->losses()[2]) / 3);
}

// A prediction may take a few images at a time: scores are as of all at once, the last few included.
TEST(Network, PredictsAFewImagesAtATime) {
  for (const int threads : {1, 2}) {
    const auto whole = make_tiny_network(threads), threes = make_tiny_network_that_predicts_threes(threads);
    fill_parameters(*whole);
    fill_parameters(*threes);
    for (const int count : {1, 3, 5, 8}) {
      const std::vector<float> images = some_images(count);
      const cnn::ConstFloats expected = whole->predict(images, count), scores = threes->predict(images, count);
      ASSERT_EQ(scores.size(), static_cast<std::size_t>(count * kTinyClasses));
      EXPECT_TRUE(std::ranges::equal(scores, expected)) << count << " images";
    }
    // What follows uses the memory from its beginning again.
    const std::vector<float> images = some_images(2);
    EXPECT_EQ(threes->evaluate(images, std::vector<int>{0, 1}), whole->evaluate(images, std::vector<int>{0, 1}));
  }
}

/// Steps 2 to 10 of a training, the last two with a partial batch, on `threads` threads.
long allocations_while_training(int threads) {
  const auto network = make_tiny_network(threads);
  fill_parameters(*network);
  cnn::Optimizer optimizer(network->description(), network->optimizer_state());
  optimizer.begin_phase(0);
  optimizer.begin_phase(1);
  const std::vector<float> images = some_images(kTinyBatch);
  const std::vector<int> labels = {0, 1, 2, 0, 1, 2, 0, 1};
  const auto step = [&](std::size_t count, std::uint64_t number) {
    network->train_step(1, cnn::ConstFloats(images).first(count * kTinyPixels),
                        cnn::Labels(labels).first(count), {7, number}, optimizer);
  };
  step(kTinyBatch, 1);
  const long before = allocation_count();
  for (std::uint64_t number = 2; number <= 8; ++number) step(kTinyBatch, number);
  step(3, 9);
  step(1, 10);
  return allocation_count() - before;
}

TEST(Network, TrainingStepsAllocateNothing) {
  const long before = allocation_count();
  delete new volatile int(1);
  ASSERT_GT(allocation_count(), before) << "the counter does not count";
  EXPECT_EQ(allocations_while_training(2), 0);
  EXPECT_EQ(allocations_while_training(4), 0);
  EXPECT_EQ(allocations_while_training(1), 0);
}

}  // namespace
