// What random transforms draw: a pure function of seed, epoch and image, spread as the spec says.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "cnn/data/prepare.hpp"
#include "cnn/data/transforms.hpp"

namespace cnn {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr int kHeight = 6, kWidth = 5;

/// Every pixel has a value of its own, none of them 0.
Bytes numbered() {
  Bytes bytes(kHeight * kWidth);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i + 1);
  return bytes;
}

Bytes augmented(const TransformDescription& transform, const AugmentKey& key,
                const Bytes& bytes = numbered()) {
  Workspace workspace;
  workspace.image.assign({1, kHeight, kWidth}, bytes);
  Augmentation({&transform, 1}).apply(key, workspace);
  return workspace.image.bytes;
}

TEST(Augmentation, IsDecidedBySeedEpochAndImage) {
  const TransformDescription shift{.kind = TransformKind::kShift, .strength = 0.5};
  const Bytes image = augmented(shift, {1, 2, 3});
  EXPECT_EQ(augmented(shift, {1, 2, 3}), image);
  std::set<Bytes> seeds, epochs, images;
  for (std::uint32_t i = 0; i < 20; ++i) {
    seeds.insert(augmented(shift, {i, 2, 3}));
    epochs.insert(augmented(shift, {1, i, 3}));
    images.insert(augmented(shift, {1, 2, i}));
  }
  EXPECT_GT(seeds.size(), 5u);
  EXPECT_GT(epochs.size(), 5u);
  EXPECT_GT(images.size(), 5u);
}

TEST(Augmentation, TransformsOfOneImageDrawApart) {
  const TransformDescription flips[] = {{.kind = TransformKind::kHflip, .strength = 0.5},
                                        {.kind = TransformKind::kVflip, .strength = 0.5}};
  std::map<Bytes, int> counts;
  for (std::uint32_t image = 0; image < 4000; ++image) {
    Workspace workspace;
    workspace.image.assign({1, kHeight, kWidth}, numbered());
    Augmentation(flips).apply({1, 0, image}, workspace);
    ++counts[workspace.image.bytes];
  }
  ASSERT_EQ(counts.size(), 4u);
  for (const auto& [bytes, count] : counts) EXPECT_NEAR(count, 1000, 120);  // 4 standard deviations
}

TEST(Augmentation, FlipsAsOftenAsAsked) {
  for (const double probability : {0.0, 0.1, 0.7, 1.0}) {
    int flipped = 0;
    for (std::uint32_t image = 0; image < 2000; ++image)
      flipped +=
          augmented({.kind = TransformKind::kHflip, .strength = probability}, {5, 0, image}) != numbered();
    EXPECT_NEAR(flipped, 2000 * probability, 90) << probability;
  }
}

TEST(Augmentation, CropsReachEveryPlaceAlike) {
  const TransformDescription crop{.kind = TransformKind::kRandomCrop, .height = 5, .width = 4, .amount = 1};
  std::map<Bytes, int> counts;
  constexpr int kDraws = 8000, kPlaces = (kHeight + 2 - 5 + 1) * (kWidth + 2 - 4 + 1);
  for (std::uint32_t image = 0; image < kDraws; ++image) ++counts[augmented(crop, {7, 1, image})];
  EXPECT_EQ(counts.size(), static_cast<std::size_t>(kPlaces));
  for (const auto& [bytes, count] : counts) EXPECT_NEAR(count, kDraws / kPlaces, 90);
}

TEST(Augmentation, ShiftsToBothSidesWithinTheFraction) {
  // 0.4 of 6 rows is 2.4 and of 5 columns 2: whole pixels from -2 to 2. Pixel 1 is the image's first.
  const TransformDescription shift{.kind = TransformKind::kShift, .strength = 0.4};
  std::set<std::pair<int, int>> places;
  for (std::uint32_t image = 0; image < 2000; ++image) {
    const Bytes bytes = augmented(shift, {3, 0, image});
    // The centre pixel, 13 (row 2, column 2), stays in the image.
    const auto place = static_cast<int>(std::find(bytes.begin(), bytes.end(), 13) - bytes.begin());
    if (place < kHeight * kWidth) places.insert({place / kWidth - 2, place % kWidth - 2});
  }
  EXPECT_EQ(places.size(), 25u);
  EXPECT_EQ(*places.begin(), std::pair(-2, -2));
  EXPECT_EQ(*places.rbegin(), std::pair(2, 2));
}

TEST(Augmentation, BrightnessStaysInItsRange) {
  const TransformDescription brightness{.kind = TransformKind::kBrightness, .strength = 0.25};
  const Bytes flat(kHeight * kWidth, 100);
  int least = 255, most = 0;
  for (std::uint32_t image = 0; image < 2000; ++image) {
    const Bytes bytes = augmented(brightness, {3, 0, image}, flat);
    EXPECT_EQ(bytes, Bytes(bytes.size(), bytes.front()));
    least = std::min<int>(least, bytes.front());
    most = std::max<int>(most, bytes.front());
  }
  EXPECT_EQ(least, 75);
  EXPECT_EQ(most, 124);  // truncated, and 125 itself is not drawn
}

TEST(Augmentation, StrengthZeroChangesNothing) {
  for (const TransformKind kind :
       {TransformKind::kRotate, TransformKind::kShift, TransformKind::kZoom, TransformKind::kBrightness,
        TransformKind::kContrast, TransformKind::kHflip})
    EXPECT_EQ(augmented({.kind = kind, .strength = 0}, {1, 1, 1}), numbered()) << static_cast<int>(kind);
}

}  // namespace
}  // namespace cnn
