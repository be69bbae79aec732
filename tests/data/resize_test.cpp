// Small cases by hand, and parity with Pillow where it is installed.
#include "cnn/data/resize.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <random>

#include "cnn/data/prepare.hpp"
#include "temporary_folder.hpp"

namespace cnn {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes resized(const Bytes& from, std::array<int, 4> sizes) {
  const Resize resize(sizes[0], sizes[1], sizes[2], sizes[3]);
  Bytes to(static_cast<std::size_t>(sizes[2] * sizes[3])), scratch(resize.scratch_bytes());
  resize.apply(from, to, scratch);
  return to;
}

TEST(Resize, KeepsAnImageOfTheSameSize) {
  const Bytes image{0, 1, 127, 128, 254, 255};
  EXPECT_EQ(resized(image, {2, 3, 2, 3}), image);
}

TEST(Resize, HalvesByAFilterFourPixelsWide) {
  // New pixel 0 has its centre at 1 and a support of 2, so old pixels 0, 1, 2 weigh 3/4, 3/4, 1/4, over their
  // sum 7/4: 210 / (7/4) = 120. New pixel 1 is its mirror image: old pixels 1, 2, 3 weigh 1/4, 3/4, 3/4:
  // 192.5 / (7/4) = 110.
  EXPECT_EQ(resized({70, 140, 210, 0}, {1, 4, 1, 2}), (Bytes{120, 110}));
  EXPECT_EQ(resized({70, 140, 210, 0}, {4, 1, 2, 1}), (Bytes{120, 110}));
}

TEST(Resize, DoublesByQuarters) {
  // New centres lie at 1/4 and 3/4 of old pixels; the outer ones have no second neighbour.
  EXPECT_EQ(resized({0, 100}, {1, 2, 1, 4}), (Bytes{0, 25, 75, 100}));
}

TEST(Resize, RoundsAfterEachPass) {
  // Rows first: (0 + 3 * 1) / 4 rounds to 1; then columns of 1 and 0.
  EXPECT_EQ(resized({0, 1, 0, 0}, {2, 2, 4, 4}), (Bytes{0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Resize, KeepsAFlatImageFlat) {
  for (const int size : {1, 3, 28, 50})
    EXPECT_EQ(resized(Bytes(28 * 28, 255), {28, 28, size, 7}), Bytes(size * 7, 255));
}

TEST(Resize, RefusesSidesOfNothing) {
  EXPECT_THROW(Resize(28, 28, 0, 28), std::invalid_argument);
}

TEST(Resize, EqualsPillowBitForBit) {
  const cnn_tests::TemporaryFolder folder;
  std::mt19937 random(3);
  std::string input, expected;
  std::vector<std::array<int, 4>> cases{
      {28, 28, 32, 32}, {28, 28, 14, 14}, {28, 28, 28, 40},     {28, 28, 40, 28}, {1, 1, 5, 7},
      {5, 7, 1, 1},     {300, 3, 7, 200}, {256, 341, 224, 224}, {64, 64, 63, 65}, {480, 640, 32, 32}};
  for (int i = 0; i < 150; ++i) {
    std::array<int, 4> sizes;
    for (int& size : sizes) size = 1 + static_cast<int>(random() % 90);
    cases.push_back(sizes);
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& sizes = cases[i];
    Bytes image(static_cast<std::size_t>(sizes[0] * sizes[1]));
    // Noise, and hard black and white, which sums of weights above or below one would push over the edge.
    for (std::uint8_t& byte : image)
      byte = static_cast<std::uint8_t>(i % 2 == 0 ? random() : random() % 2 * 255);
    for (const int size : sizes) input += std::to_string(size) + " ";
    input += "\n";
    input.append(image.begin(), image.end());
    const Bytes ours = resized(image, sizes);
    expected.append(ours.begin(), ours.end());
  }
  cnn_tests::write_file(folder / "input", input);
  const std::string command = "/usr/bin/python3 " RESIZE_WITH_PILLOW " " + (folder / "input").string() + " " +
                              (folder / "output").string();
  const int status = system(command.c_str());
  if (WIFEXITED(status) && (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127))
    GTEST_SKIP() << "needs Pillow for /usr/bin/python3: Debian's python3-pil";
  ASSERT_EQ(status, 0);
  const std::string found = cnn_tests::read_file(folder / "output");
  ASSERT_EQ(found.size(), expected.size());
  std::size_t place = 0;
  for (const auto& sizes : cases) {
    const auto bytes = static_cast<std::size_t>(sizes[2] * sizes[3]);
    EXPECT_EQ(found.substr(place, bytes), expected.substr(place, bytes))
        << sizes[0] << "x" << sizes[1] << " to " << sizes[2] << "x" << sizes[3];
    place += bytes;
  }
}

TEST(Preparation, ResizesEachChannelStepByStep) {
  const std::array<TransformDescription, 3> transforms{
      TransformDescription{.kind = TransformKind::kResize, .height = 7, .width = 5},
      TransformDescription{.kind = TransformKind::kResize, .height = 3, .width = 9},
      TransformDescription{.kind = TransformKind::kResize, .height = 4, .width = 4}};
  const Preparation preparation(transforms, {3, 4, 4});
  EXPECT_EQ(preparation.shape_after({3, 6, 6}), (ImageShape{3, 4, 4}));
  std::mt19937 random(4);
  Bytes image(3 * 36), expected;
  for (std::uint8_t& byte : image) byte = static_cast<std::uint8_t>(random());
  Workspace workspace;
  workspace.image.assign({3, 6, 6}, image);
  preparation.apply(workspace);
  for (int channel = 0; channel < 3; ++channel) {
    const Bytes plane(image.begin() + channel * 36, image.begin() + channel * 36 + 36);
    const Bytes last = resized(resized(resized(plane, {6, 6, 7, 5}), {7, 5, 3, 9}), {3, 9, 4, 4});
    expected.insert(expected.end(), last.begin(), last.end());
  }
  EXPECT_EQ(workspace.image.bytes, expected);
}

TEST(Preparation, NormalizesInPyTorchsOrder) {
  const std::array<float, 2> mean{0.5f, 0.25f}, deviation{0.5f, 0.3f};
  const std::array<TransformDescription, 1> transforms{
      TransformDescription{.kind = TransformKind::kNormalize, .mean = mean, .std_deviation = deviation}};
  const Preparation preparation(transforms, {2, 1, 2});
  EXPECT_FALSE(preparation.changes_bytes());
  std::array<float, 4> values{};
  preparation.normalize(Bytes{0, 255, 0, 51}, values);
  EXPECT_EQ(values[0], -1.0f);
  EXPECT_EQ(values[1], 1.0f);
  EXPECT_EQ(values[2], (0.0f - 0.25f) / 0.3f);
  EXPECT_EQ(values[3], (51.0f / 255.0f - 0.25f) / 0.3f);
}

TEST(Preparation, RefusesWhatDoesNotSuitTheImages) {
  const std::array<float, 3> three{0.5f, 0.5f, 0.5f};
  const std::array<float, 1> one{0.5f};
  const TransformDescription resize{.kind = TransformKind::kResize, .height = 4, .width = 4};
  const TransformDescription wide{.kind = TransformKind::kNormalize, .mean = three, .std_deviation = three};
  const TransformDescription gray{.kind = TransformKind::kNormalize, .mean = one, .std_deviation = one};
  const std::array<TransformDescription, 1> channels{wide};
  EXPECT_EQ(cnn_tests::error_of<std::invalid_argument>([&] {
              Preparation(channels, {1, 6, 6});
            }),
            "normalize has 3 means and 3 deviations, but the images have 1 channel");
  const std::array<TransformDescription, 2> order{gray, resize};
  EXPECT_EQ(cnn_tests::error_of<std::invalid_argument>([&] {
              Preparation(order, {1, 6, 6});
            }),
            "normalize stands before another transform in prepare; it goes last");
}

}  // namespace
}  // namespace cnn
