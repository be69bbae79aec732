// Parts, batches and the checks that hold data and network together; and the real Fashion-MNIST where it is
// installed.
#include "cnn/data/dataset.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "formats/format_error.hpp"
#include "idx_files.hpp"

namespace cnn {
namespace {

using cnn_tests::error_of;
using cnn_tests::example_pixel;
using cnn_tests::TemporaryFolder;
using cnn_tests::write_file;
using formats::FormatError;

constexpr std::array<int, 3> kInput{1, 4, 4};

DataDescription idx_description() {
  return {.source = SourceKind::kIdx};
}

Dataset load(const TemporaryFolder& folder, const DataDescription& description = idx_description(),
             const std::array<int, 3>& input = kInput, int outputs = 3, std::uint64_t seed = 1) {
  return Dataset::load(description, folder.path(), input, outputs, seed);
}

/// The first pixel of each image of a part, as the example has them.
std::vector<int> first_pixels(const Dataset& data, Part part) {
  std::vector<std::uint32_t> order(static_cast<std::size_t>(data.size(part)));
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::vector<float> images(order.size() * data.image_floats());
  std::vector<int> labels(order.size()), pixels;
  data.fill(part, order, images, labels);
  for (std::size_t i = 0; i < order.size(); ++i)
    pixels.push_back(static_cast<int>(std::lround(images[i * data.image_floats()] * 255)));
  return pixels;
}

TEST(Dataset, FillsABatchInTheOrderAsked) {
  const TemporaryFolder folder;
  cnn_tests::write_example(folder.path());
  const Dataset data = load(folder);
  EXPECT_EQ(data.size(Part::kTrain), 50);
  EXPECT_EQ(data.size(Part::kValidation), 0);
  EXPECT_EQ(data.size(Part::kTest), 20);
  EXPECT_EQ(data.image_floats(), 16u);
  const std::vector<std::uint32_t> order{7, 0, 7, 19};
  std::vector<float> images(4 * 16);
  std::vector<int> labels(4);
  const auto expect_images = [&](std::uint32_t first) {
    for (std::size_t i = 0; i < order.size(); ++i)
      for (std::size_t place = 0; place < 16; ++place)
        EXPECT_EQ(images[i * 16 + place],
                  static_cast<float>(example_pixel(first + order[i], place)) / 255.0f);
    EXPECT_EQ(labels, (std::vector<int>{1, 0, 1, 1}));
  };
  data.fill(Part::kTrain, order, images, labels);
  expect_images(0);
  data.fill(Part::kTest, order, images, labels);
  expect_images(50);
  EXPECT_EQ(data.labels(Part::kTest).size(), 20u);
  EXPECT_EQ(data.labels(Part::kTest)[4], 1);
}

TEST(Dataset, RefusesPlacesThatAPartDoesNotHave) {
  const TemporaryFolder folder;
  cnn_tests::write_example(folder.path());
  const Dataset data = load(folder);
  std::vector<float> images(16);
  std::vector<int> labels(1);
  const std::vector<std::uint32_t> beyond{20}, two{0, 1};
  EXPECT_THROW(data.fill(Part::kTest, beyond, images, labels), std::out_of_range);
  EXPECT_THROW(data.fill(Part::kValidation, {two.data(), 1}, images, labels), std::out_of_range);
  EXPECT_THROW(data.fill(Part::kTest, two, images, labels), std::out_of_range);
}

TEST(Dataset, ResizesAndNormalizesAsTheSpecSays) {
  const TemporaryFolder folder;
  cnn_tests::write_example(folder.path());
  const std::array<float, 1> mean{0.5f}, deviation{0.25f};
  const std::array<TransformDescription, 2> prepare{
      TransformDescription{.kind = TransformKind::kResize, .height = 7, .width = 3},
      TransformDescription{.kind = TransformKind::kNormalize, .mean = mean, .std_deviation = deviation}};
  DataDescription description = idx_description();
  description.prepare = prepare;
  const Dataset data = load(folder, description, {1, 7, 3});
  const Resize resize(4, 4, 7, 3);
  std::vector<std::uint8_t> from, to(21), scratch(resize.scratch_bytes());
  for (std::size_t place = 0; place < 16; ++place) from.push_back(example_pixel(50 + 13, place));
  resize.apply(from, to, scratch);
  std::vector<float> image(21);
  std::vector<int> label(1);
  const std::vector<std::uint32_t> order{13};
  data.fill(Part::kTest, order, image, label);
  for (std::size_t place = 0; place < 21; ++place)
    EXPECT_EQ(image[place], (static_cast<float>(to[place]) / 255.0f - 0.5f) / 0.25f);
}

TEST(Dataset, TakesValidationOutOfTheTrainingPart) {
  const TemporaryFolder folder;
  cnn_tests::write_example(folder.path());
  DataDescription description = idx_description();
  description.validation = {.kind = SplitKind::kFraction, .fraction = 0.3};
  const Dataset data = load(folder, description);
  EXPECT_EQ(data.size(Part::kTrain), 35);
  EXPECT_EQ(data.size(Part::kValidation), 15);
  EXPECT_EQ(data.size(Part::kTest), 20);
  std::array<int, 3> classes{};
  for (const int label : data.labels(Part::kValidation)) ++classes[static_cast<std::size_t>(label)];
  EXPECT_EQ(classes, (std::array<int, 3>{5, 5, 5}));
  // First pixels of the example are 7 times the image's number, modulo 256: all different below 256 images.
  std::set<int> all;
  for (const Part part : {Part::kTrain, Part::kValidation})
    for (const int pixel : first_pixels(data, part)) all.insert(pixel);
  EXPECT_EQ(all.size(), 50u);
  EXPECT_EQ(first_pixels(data, Part::kValidation),
            first_pixels(load(folder, description), Part::kValidation));
  EXPECT_NE(first_pixels(data, Part::kValidation),
            first_pixels(load(folder, description, kInput, 3, 2), Part::kValidation));
  description.validation = {.kind = SplitKind::kCount, .count = 4};
  EXPECT_EQ(load(folder, description).size(Part::kValidation), 4);
}

TEST(Dataset, LetsTheTestPartServeAsValidation) {
  const TemporaryFolder folder;
  cnn_tests::write_example(folder.path());
  DataDescription description = idx_description();
  description.validation = {.kind = SplitKind::kTest};
  const Dataset data = load(folder, description);
  EXPECT_EQ(data.size(Part::kTrain), 50);
  EXPECT_EQ(first_pixels(data, Part::kValidation), first_pixels(data, Part::kTest));
}

TEST(Dataset, HasAFingerprintOfEveryByte) {
  const TemporaryFolder folder;
  cnn_tests::write_example(folder.path());
  const std::string fingerprint = load(folder).fingerprint();
  EXPECT_EQ(fingerprint.size(), 16u);
  EXPECT_EQ(fingerprint, load(folder, idx_description(), kInput, 3, 2).fingerprint());
  std::set<std::string> seen{fingerprint};
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}) {
    cnn_tests::write_example(folder.path());
    std::string bytes = cnn_tests::read_file(folder / name);
    bytes.back() ^= 1;  // the last label is 1
    write_file(folder / name, bytes);
    EXPECT_TRUE(seen.insert(load(folder).fingerprint()).second) << name;
  }
}

TEST(Dataset, SaysWhatDoesNotFit) {
  const TemporaryFolder folder;
  cnn_tests::write_example(folder.path());
  const std::string train = (folder / "train-images-idx3-ubyte").string();
  EXPECT_EQ(
      error_of<FormatError>([&] {
        load(folder, idx_description(), {1, 32, 32});
      }),
      train +
          ": its images are 1x4x4, but the network takes 1x32x32; prepare { resize(32x32) } makes them fit");
  EXPECT_EQ(error_of<FormatError>([&] {
              load(folder, idx_description(), {3, 4, 4});
            }),
            train + ": its images are 1x4x4, but the network takes 3x4x4");
  EXPECT_EQ(error_of<FormatError>([&] { load(folder, idx_description(), kInput, 2); }),
            (folder / "train-labels-idx1-ubyte").string() +
                ": label 2 (counting from 0) is 2, but the 2 classes are 0 to 1");
  DataDescription description = idx_description();
  description.validation = {.kind = SplitKind::kCount, .count = 50};
  EXPECT_EQ(error_of<FormatError>([&] { load(folder, description); }),
            folder.path().string() +
                ": the spec's val= takes 50 of the 50 training images; that leaves none for training");
  description = idx_description();
  description.test = {.kind = SplitKind::kFraction, .fraction = 0.5};
  EXPECT_EQ(error_of<FormatError>([&] { load(folder, description); }),
            folder.path().string() +
                ": has a test part in files of its own, so the spec can't take one out of the "
                "training part");
  write_file(folder / "train-labels-idx1-ubyte", cnn_tests::idx_labels(49, cnn_tests::example_labels(49, 3)));
  EXPECT_EQ(error_of<FormatError>([&] { load(folder); }),
            (folder / "train-labels-idx1-ubyte").string() +
                ": has 49 labels, but 'train-images-idx3-ubyte' has 50 images");
}

TEST(Dataset, RefusesTestImagesOfAnotherSize) {
  const TemporaryFolder folder;
  cnn_tests::write_example(folder.path());
  const std::array<TransformDescription, 1> prepare{
      TransformDescription{.kind = TransformKind::kResize, .height = 4, .width = 4}};
  DataDescription description = idx_description();
  description.prepare = prepare;
  write_file(folder / "t10k-images-idx3-ubyte.gz",
             cnn_tests::idx_images(20, 5, 4, cnn_tests::example_pixels(20, 20)));
  EXPECT_EQ(error_of<FormatError>([&] { load(folder, description); }),
            (folder / "t10k-images-idx3-ubyte.gz").string() +
                ": its images are 1x5x4, but the training images are 1x4x4");
}

TEST(Dataset, ReadsFashionMnist) {
  const std::filesystem::path directory = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "needs Debian's dataset-fashion-mnist";
  const std::array<TransformDescription, 1> prepare{
      TransformDescription{.kind = TransformKind::kResize, .height = 32, .width = 32}};
  DataDescription description = idx_description();
  description.prepare = prepare;
  description.validation = {.kind = SplitKind::kFraction, .fraction = 0.1};
  const Dataset data = Dataset::load(description, directory, {1, 32, 32}, 10, 1);
  EXPECT_EQ(data.size(Part::kTrain), 54'000);
  EXPECT_EQ(data.size(Part::kValidation), 6'000);
  EXPECT_EQ(data.size(Part::kTest), 10'000);
  for (const auto& [part, each] :
       {std::pair{Part::kTrain, 5400}, {Part::kValidation, 600}, {Part::kTest, 1000}}) {
    std::array<int, 10> classes{};
    for (const int label : data.labels(part)) ++classes[static_cast<std::size_t>(label)];
    for (const int count : classes) EXPECT_EQ(count, each);
  }
}

}  // namespace
}  // namespace cnn
