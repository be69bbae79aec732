// Folders, lists and CIFAR-10: which pictures, which labels, which parts; the same batches however they are
// read.
#include <gtest/gtest.h>

#include "cnn/data/dataset.hpp"
#include "cnn/data/loader.hpp"
#include "formats/format_error.hpp"
#include "picture_files.hpp"
#include "temporary_folder.hpp"

namespace cnn {
namespace {

namespace fs = std::filesystem;
using cnn_tests::error_of;
using cnn_tests::example_jpeg;
using cnn_tests::example_png;
using cnn_tests::TemporaryFolder;
using cnn_tests::write_file;
using formats::FormatError;
using Names = std::vector<std::string>;

constexpr ImageShape kInput{3, 8, 8};
const TransformDescription kResized[] = {{.kind = TransformKind::kResize, .height = 8, .width = 8}};
const TransformDescription kChanges[] = {{.kind = TransformKind::kRotate, .strength = 20},
                                         {.kind = TransformKind::kHflip, .strength = 0.5},
                                         {.kind = TransformKind::kContrast, .strength = 0.3}};

void write_picture(const fs::path& file, int seed) {
  fs::create_directories(file.parent_path());
  const int height = 5 + seed % 7, width = 4 + seed % 9;
  write_file(file, seed % 2 == 0 ? example_png(seed, height, width, seed % 3 == 0 ? 1 : 3)
                                 : example_jpeg(seed, height, width, seed % 3 == 0 ? 1 : 3));
}

/// 12 pictures of "cats" and 6 of "dogs", of all sizes and both formats.
void write_classes(const fs::path& folder) {
  for (int i = 0; i < 12; ++i) write_picture(folder / "cats" / (std::to_string(i) + ".jpg"), i);
  for (int i = 0; i < 6; ++i) write_picture(folder / "dogs" / (std::to_string(i) + ".png"), 20 + i);
}

DataDescription folder_description() {
  return {.source = SourceKind::kFolder, .prepare = kResized};
}

Dataset load(const fs::path& place, const DataDescription& description, int classes = 2,
             const LoadOptions& options = {}) {
  return Dataset::load(description, place, kInput, classes, 1, options);
}

std::string load_error(const fs::path& place, const DataDescription& description, int classes = 2) {
  return error_of<FormatError>([&] { load(place, description, classes); });
}

TEST(PictureFolder, TakesAFolderForAClass) {
  const TemporaryFolder folder;
  write_classes(folder.path());
  write_file(folder / "README", "not a class");
  write_file(folder / "cats" / ".DS_Store", "litter");
  const Dataset data = load(folder.path(), folder_description());
  EXPECT_EQ(data.class_names(), (Names{"cats", "dogs"}));
  EXPECT_EQ(data.size(Part::kTrain), 18);
  EXPECT_EQ(data.size(Part::kTest), 0);
  std::vector<int> expected(12, 0);
  expected.insert(expected.end(), 6, 1);
  EXPECT_EQ(data.labels(Part::kTrain), expected);
}

TEST(PictureFolder, OrdersClassesAsTheSpecDoes) {
  const TemporaryFolder folder;
  write_classes(folder.path());
  constexpr std::string_view kNames[] = {"dogs", "cats"};
  DataDescription description = folder_description();
  description.class_names = kNames;
  const Dataset data = load(folder.path(), description);
  EXPECT_EQ(data.class_names(), (Names{"dogs", "cats"}));
  EXPECT_EQ(data.labels(Part::kTrain).front(), 1);
}

TEST(PictureFolder, TakesReadyMadeParts) {
  const TemporaryFolder folder;
  write_classes(folder / "train");
  write_picture(folder / "val" / "dogs" / "a.png", 3);
  write_picture(folder / "test" / "cats" / "deep" / "down" / "b.png", 4);
  const Dataset data = load(folder.path(), folder_description());
  EXPECT_EQ(data.size(Part::kTrain), 18);
  EXPECT_EQ(data.labels(Part::kValidation), (std::vector<int>{1}));
  EXPECT_EQ(data.labels(Part::kTest), (std::vector<int>{0}));
  DataDescription split = folder_description();
  split.validation = {SplitKind::kFraction, 0.5, 0};
  EXPECT_EQ(
      load_error(folder.path(), split),
      folder.path().string() +
          ": has a validation part in files of its own, so the spec can't take one out of the training part");
}

TEST(PictureFolder, CutsPartsClassByClass) {
  const TemporaryFolder folder;
  write_classes(folder.path());
  DataDescription description = folder_description();
  description.validation = {SplitKind::kFraction, 1.0 / 6, 0};
  description.test = {SplitKind::kCount, 0, 6};
  const Dataset data = load(folder.path(), description);
  EXPECT_EQ(data.labels(Part::kTrain).size(), 9u);
  EXPECT_EQ(data.labels(Part::kValidation), (std::vector<int>{0, 0, 1}));
  EXPECT_EQ(data.labels(Part::kTest), (std::vector<int>{0, 0, 0, 0, 1, 1}));
}

TEST(PictureFolder, SaysWhatDoesNotFit) {
  const TemporaryFolder folder;
  const std::string name = folder.path().string();
  EXPECT_EQ(load_error(folder / "none", folder_description()),
            name + "/none: is not a folder of pictures: not found");
  EXPECT_EQ(load_error(folder.path(), folder_description()),
            name + ": has no folders; folder() reads a folder of pictures for each class");
  write_classes(folder.path());
  EXPECT_EQ(load_error(folder.path(), folder_description(), 3),
            name + ": has 2 folders (cats, dogs), but the spec says 3 classes");
  constexpr std::string_view kNames[] = {"cat", "dog"};
  DataDescription named = folder_description();
  named.class_names = kNames;
  EXPECT_EQ(load_error(folder.path(), named),
            name + ": its folders are not the spec's classes\n  folders: cats, dogs\n  classes: cat, dog");
  DataDescription raw = folder_description();
  raw.prepare = {};
  EXPECT_EQ(load_error(folder.path(), raw),
            name +
                "/cats/0.jpg: its images are 3x5x4, but the network takes 3x8x8; prepare { "
                "resize(8x8) } makes them fit");
  write_file(folder / "cats" / "5.jpg", "no picture");
  EXPECT_EQ(load_error(folder.path(), folder_description()),
            name + "/cats/5.jpg: is no picture that is known; JPEG and PNG pictures can be read");
  fs::create_directory(folder / "empty");
  EXPECT_EQ(load_error(folder.path(), folder_description(), 3), name + "/empty: holds no pictures");
}

TEST(PictureFolder, ItsFingerprintTellsFilesApart) {
  const TemporaryFolder folder;
  write_classes(folder.path());
  const std::string before = load(folder.path(), folder_description()).fingerprint();
  EXPECT_EQ(load(folder.path(), folder_description(), 2, {.most_bytes = 1}).fingerprint(), before);
  fs::rename(folder / "cats" / "3.jpg", folder / "dogs" / "33.jpg");
  EXPECT_NE(load(folder.path(), folder_description()).fingerprint(), before);
}

struct Batches {
  std::vector<float> images;
  std::vector<int> labels;
  bool operator==(const Batches&) const = default;
};

Batches batches_of(Loader& loader) {
  Batches all;
  while (const Batch* batch = loader.next()) {
    all.images.insert(all.images.end(), batch->images.begin(), batch->images.end());
    all.labels.insert(all.labels.end(), batch->labels.begin(), batch->labels.end());
  }
  return all;
}

TEST(Pictures, AreTheSameFromMemoryAndFromFilesOnAnyNumberOfThreads) {
  const TemporaryFolder folder;
  write_classes(folder.path());
  DataDescription description = folder_description();
  description.augment = kChanges;
  std::optional<Batches> first, plain;
  for (const std::uint64_t most_bytes : {0, 1})
    for (const int threads : {1, 2, 5})
      for (const int batch : {1, 4, 100}) {
        const Dataset data =
            load(folder.path(), description, 2, {.threads = threads, .most_bytes = most_bytes});
        Loader training(data, Part::kTrain, batch, Shuffle{.seed = 3, .epoch = 4});
        const Batches found = batches_of(training);
        EXPECT_EQ(found.labels.size(), 18u);
        if (!first) first = found;
        EXPECT_TRUE(found == *first) << most_bytes << " bytes, " << threads << " threads, batch " << batch;
        Loader evaluation(data, Part::kTrain, batch);
        const Batches unchanged = batches_of(evaluation);
        if (!plain) plain = unchanged;
        EXPECT_TRUE(unchanged == *plain);
      }
  EXPECT_FALSE(*first == *plain);
}

TEST(Pictures, OnlyTheTrainingPartIsAugmentedAndEveryEpochAnew) {
  const TemporaryFolder folder;
  write_classes(folder / "train");
  write_classes(folder / "val");
  DataDescription description = folder_description();
  description.augment = kChanges;
  const Dataset data = load(folder.path(), description);
  const auto epoch_of = [&](Part part, std::uint64_t epoch) {
    // In the same order, so that only augmentation differs.
    std::vector<std::uint32_t> order(18);
    for (std::uint32_t i = 0; i < 18; ++i) order[i] = i;
    Batches batches{std::vector<float>(18 * data.image_floats()), std::vector<int>(18)};
    const Shuffle shuffle{.seed = 3, .epoch = epoch};
    Workspace workspace;
    data.fill(part, order, batches.images, batches.labels, &shuffle, workspace);
    return batches;
  };
  EXPECT_TRUE(epoch_of(Part::kTrain, 1) == epoch_of(Part::kTrain, 1));
  EXPECT_FALSE(epoch_of(Part::kTrain, 1) == epoch_of(Part::kTrain, 2));
  EXPECT_TRUE(epoch_of(Part::kValidation, 1) == epoch_of(Part::kValidation, 2));
}

TEST(Pictures, ADamagedFileStopsTheLoader) {
  const TemporaryFolder folder;
  write_classes(folder.path());
  write_file(folder / "dogs" / "2.png", example_png(1, 8, 8, 3).substr(0, 60));
  for (const int threads : {1, 4}) {
    const Dataset data = load(folder.path(), folder_description(), 2, {.threads = threads, .most_bytes = 1});
    Loader loader(data, Part::kTrain, 4);
    for (int batch = 0; batch < 3; ++batch) EXPECT_NE(loader.next(), nullptr);
    EXPECT_TRUE(
        error_of<FormatError>([&] { loader.next(); }).starts_with((folder / "dogs" / "2.png").string()));
  }
}

class PictureListTest : public testing::Test {
 protected:
  PictureListTest() {
    for (int i = 0; i < 4; ++i) write_picture(folder_ / "photos" / (std::to_string(i) + ", small.png"), i);
  }
  fs::path write_list(const std::string& text) {
    write_file(folder_ / "labels.csv", text);
    return folder_ / "labels.csv";
  }
  static DataDescription description() { return {.source = SourceKind::kList, .prepare = kResized}; }
  TemporaryFolder folder_;
};

TEST_F(PictureListTest, ReadsPathsAndClasses) {
  const Dataset data =
      load(write_list("path,class\n\"photos/0, small.png\",wolf\r\n\"photos/1, small.png\",\"fox\"\n"),
           description());
  EXPECT_EQ(data.class_names(), (Names{"fox", "wolf"}));
  EXPECT_EQ(data.labels(Part::kTrain), (std::vector<int>{1, 0}));
}

TEST_F(PictureListTest, SortsNumbersByValue) {
  std::string list;
  for (const char* number : {"10", "9", "2"}) list += "\"photos/0, small.png\"," + std::string(number) + "\n";
  const Dataset data = load(write_list(list), description(), 3);
  EXPECT_EQ(data.class_names(), (Names{"2", "9", "10"}));
  EXPECT_EQ(data.labels(Part::kTrain), (std::vector<int>{2, 1, 0}));
}

TEST_F(PictureListTest, NamesTheLineThatIsWrong) {
  const std::string file = (folder_ / "labels.csv").string();
  const std::string good = "\"photos/0, small.png\",a\n\n";
  EXPECT_EQ(load_error(write_list(good + "photos/1.png;b\n"), description()),
            file + ": line 3 has 1 field; each line is a path, a comma and a class");
  EXPECT_EQ(load_error(write_list(good + "photos/none.png,b\n"), description()),
            file + ": line 3 names " + (folder_ / "photos/none.png").string() +
                ", which can't be read: No such file or directory");
  EXPECT_EQ(load_error(write_list(good), description()), file + ": has 1 classes (a), but the spec says 2");
  EXPECT_EQ(load_error(write_list("path,class\n"), description()), file + ": names no pictures");
  constexpr std::string_view kNames[] = {"a", "b"};
  DataDescription named = description();
  named.class_names = kNames;
  EXPECT_EQ(load_error(write_list(good + "\"photos/1, small.png\",c\n"), named),
            file + ": line 3 has the class 'c'; the spec's classes are a, b");
}

TEST_F(PictureListTest, NamesMustBeText) {
  const std::string name = "caf\xe9";  // Latin-1
  EXPECT_EQ(load_error(write_list("\"photos/0, small.png\"," + name + "\n\"photos/1, small.png\",b\n"),
                       description()),
            folder_.path().string() + ": has the class '" + name + "', whose name is not UTF-8");
}

std::string cifar_records(std::initializer_list<int> labels) {
  std::string bytes;
  for (const int label : labels) {
    bytes.push_back(static_cast<char>(label));
    for (int i = 0; i < 3072; ++i) bytes.push_back(static_cast<char>(label * 3 + i % 250));
  }
  return bytes;
}

TEST(Cifar10, ReadsBatchesInOrder) {
  const TemporaryFolder folder;
  write_file(folder / "data_batch_2.bin", cifar_records({4, 5}));
  write_file(folder / "data_batch_1.bin", cifar_records({1, 2, 3}));
  write_file(folder / "test_batch.bin", cifar_records({9}));
  const Dataset data = Dataset::load({.source = SourceKind::kCifar10}, folder.path(), {3, 32, 32}, 10, 1);
  EXPECT_EQ(data.labels(Part::kTrain), (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(data.labels(Part::kTest), (std::vector<int>{9}));
  std::vector<float> images(2 * 3072);
  std::vector<int> labels(2);
  data.fill(Part::kTrain, std::vector<std::uint32_t>{4, 0}, images, labels);
  for (int i = 0; i < 3072; ++i) {
    EXPECT_EQ(images[static_cast<std::size_t>(i)], static_cast<float>((15 + i % 250) % 256) / 255.0f);
    EXPECT_EQ(images[static_cast<std::size_t>(3072 + i)], static_cast<float>((3 + i % 250) % 256) / 255.0f);
  }
}

TEST(Cifar10, RefusesWhatIsDamaged) {
  const TemporaryFolder folder;
  const auto error = [&](int classes) {
    return error_of<FormatError>([&] {
      Dataset::load({.source = SourceKind::kCifar10}, folder.path(), {3, 32, 32}, classes, 1);
    });
  };
  EXPECT_EQ(error(10), folder.path().string() +
                           ": has no file data_batch_*.bin; cifar10() reads CIFAR-10's binary version");
  const std::string file = (folder / "data_batch_1.bin").string();
  write_file(file, cifar_records({1, 7}));
  EXPECT_EQ(error(5), file + ": label 1 (counting from 0) is 7, but the 5 classes are 0 to 4");
  write_file(file, cifar_records({1, 7}).substr(1));
  EXPECT_EQ(
      error(10),
      file + ": is no CIFAR-10 file or truncated: its 6145 bytes are not a whole number of records of 3073");
}

}  // namespace
}  // namespace cnn
