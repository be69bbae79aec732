// Sound files of both kinds, and every way in which they can be damaged.
#include "cnn/data/idx.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <random>

#include "formats/format_error.hpp"
#include "idx_files.hpp"

namespace cnn {
namespace {

using cnn_tests::big_endian;
using cnn_tests::compressed;
using cnn_tests::error_of;
using cnn_tests::idx_images;
using cnn_tests::idx_labels;
using cnn_tests::TemporaryFolder;
using cnn_tests::write_file;
using formats::FormatError;

struct Read {
  IdxImages header;
  std::string pixels;
};

Read read_images(const std::filesystem::path& file) {
  Read read;
  read.header = read_idx_images(
      file, [&](const IdxImages& header, std::uint32_t first, std::span<const std::uint8_t> bytes) {
        EXPECT_EQ(first * header.image_bytes(), read.pixels.size());
        read.pixels.append(bytes.begin(), bytes.end());
      });
  return read;
}

TEST(Idx, ReadsPlainAndCompressedFiles) {
  const TemporaryFolder folder;
  const std::string pixels = cnn_tests::example_pixels(5, 6), bytes = idx_images(5, 2, 3, pixels);
  write_file(folder / "plain", bytes);
  write_file(folder / "compressed", compressed(bytes));
  write_file(folder / "members", compressed(bytes.substr(0, 21)) + compressed(bytes.substr(21)));
  for (const char* name : {"plain", "compressed", "members"}) {
    const Read read = read_images(folder / name);
    EXPECT_EQ(read.header.count, 5u) << name;
    EXPECT_EQ(read.header.height, 2) << name;
    EXPECT_EQ(read.header.width, 3) << name;
    EXPECT_EQ(read.pixels, pixels) << name;
  }
}

TEST(Idx, ReadsFilesOfManyPieces) {
  const TemporaryFolder folder;
  std::mt19937 random(5);
  std::string pixels(5'000'000, '\0');  // pieces are of 4 MiB
  for (char& pixel : pixels) pixel = static_cast<char>(random() % 256);
  const std::string bytes = idx_images(500, 100, 100, pixels);
  write_file(folder / "plain", bytes);
  write_file(folder / "compressed", compressed(bytes));
  EXPECT_TRUE(read_images(folder / "plain").pixels == pixels);
  EXPECT_TRUE(read_images(folder / "compressed").pixels == pixels);
}

TEST(Idx, ReadsLabels) {
  const TemporaryFolder folder;
  write_file(folder / "labels", compressed(idx_labels(4, std::string("\0\1\2\1", 4))));
  EXPECT_EQ(read_idx_labels(folder / "labels", 3), (std::vector<std::uint8_t>{0, 1, 2, 1}));
}

TEST(Idx, FindsEitherSpellingAndNamesBoth) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of<FormatError>([&] { find_idx_file(folder.path(), "a-ubyte"); }),
            folder.path().string() + ": has neither 'a-ubyte' nor 'a-ubyte.gz'");
  write_file(folder / "a-ubyte.gz", "");
  EXPECT_EQ(find_idx_file(folder.path(), "a-ubyte"), folder / "a-ubyte.gz");
  write_file(folder / "a-ubyte", "");
  EXPECT_EQ(find_idx_file(folder.path(), "a-ubyte"), folder / "a-ubyte");
  EXPECT_EQ(error_of<FormatError>([&] { find_idx_file(folder / "absent", "a-ubyte"); }),
            (folder / "absent").string() + ": is not a directory of IDX files: not found");
}

struct Malformed {
  const char* what;
  std::string bytes;
  const char* expected;

  friend void PrintTo(const Malformed& malformed, std::ostream* out) { *out << malformed.what; }
};

const std::string kTwoImages = idx_images(2, 2, 3, "abcdefghijkl");

const Malformed kMalformedImages[] = {
    {"Empty", "", "is truncated: it ends before its magic number"},
    {"HalfAHeader", kTwoImages.substr(0, 10), "is truncated: it ends before its images' height"},
    {"Labels", idx_labels(2, "\1\1"),
     "is not an IDX file of images: its magic number is 0x00000801, expected 0x00000803; it holds labels"},
    {"SomethingElse", "\x89PNG\r\n\x1a\n",
     "is not an IDX file of images: its magic number is 0x89504e47, expected 0x00000803"},
    {"Truncated", kTwoImages.substr(0, kTwoImages.size() - 1),
     "is truncated or damaged: its header claims 2 images of 2x3, 12 bytes, but it can't hold more than 11"},
    {"TruncatedInside", compressed(kTwoImages.substr(0, kTwoImages.size() - 1)),
     "is truncated: its header claims 2 images of 2x3, 12 bytes, but only 11 are there"},
    {"BytesAfterTheEnd", kTwoImages + "m", "has bytes after its end: its header claims 2 images of 2x3"},
    {"BytesAfterTheEndInside", compressed(kTwoImages + "m"),
     "has bytes after its end: its header claims 2 images of 2x3"},
    {"NoImages", idx_images(0, 2, 3, ""), "holds no images"},
    {"NoHeight", idx_images(2, 0, 3, ""), "claims 2 images of 0x3 pixels; sides from 1 to 65536 can be read"},
    {"NoWidth", idx_images(2, 3, 0, ""), "claims 2 images of 3x0 pixels; sides from 1 to 65536 can be read"},
    {"HugeSides", idx_images(1, 0xffffffff, 0xffffffff, ""),
     "claims 1 images of 4294967295x4294967295 pixels; sides from 1 to 65536 can be read"},
    {"Oversize", idx_images(0x7fffffff, 65536, 65536, "abc"),
     "is truncated or damaged: its header claims 2147483647 images of 65536x65536, 9223372032559808512 "
     "bytes, "
     "but it can't hold more than 3"},
    {"TruncatedCompression", compressed(kTwoImages).substr(0, 25),
     "is truncated: its compressed data has no end"},
    {"GarbageAfterCompression", compressed(kTwoImages) + "garbage",
     "is damaged: its compressed data can't be inflated (incorrect header check)"},
};

class IdxMalformed : public testing::TestWithParam<Malformed> {};

TEST_P(IdxMalformed, IsRefused) {
  const TemporaryFolder folder;
  write_file(folder / "images", GetParam().bytes);
  EXPECT_EQ(error_of<FormatError>([&] { read_images(folder / "images"); }),
            (folder / "images").string() + ": " + GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Images, IdxMalformed, testing::ValuesIn(kMalformedImages),
                         [](const auto& info) { return info.param.what; });

TEST(Idx, RefusesACompressedFileThatClaimsMoreThanCompressionCanDo) {
  const TemporaryFolder folder;
  const std::string bytes = compressed(idx_images(60000, 1000, 1000, "abc"));
  write_file(folder / "images", bytes);
  EXPECT_EQ(error_of<FormatError>([&] { read_images(folder / "images"); }),
            (folder / "images").string() +
                ": is truncated or damaged: its header claims 60000 images of 1000x1000, "
                "60000000000 bytes, but it can't hold more than " +
                std::to_string(bytes.size() * 1032 - 16));
}

TEST(Idx, RefusesDamagedLabels) {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& bytes) {
    write_file(folder / "labels", bytes);
    return error_of<FormatError>([&] { read_idx_labels(folder / "labels", 3); })
        .substr((folder / "labels: ").string().size());
  };
  EXPECT_EQ(
      error(kTwoImages),
      "is not an IDX file of labels: its magic number is 0x00000803, expected 0x00000801; it holds images");
  EXPECT_EQ(error(idx_labels(3, "\1\1")),
            "is truncated or damaged: its header claims 3 labels, 3 bytes, but it can't hold more than 2");
  EXPECT_EQ(error(compressed(idx_labels(3, "\1\1"))),
            "is truncated: its header claims 3 labels, 3 bytes, but only 2 are there");
  EXPECT_EQ(error(idx_labels(0xffffffff, "\1\1")),
            "is truncated or damaged: its header claims 4294967295 labels, 4294967295 bytes, but it can't "
            "hold more than 2");
  EXPECT_EQ(error(idx_labels(1, "\1\1")), "has bytes after its end: its header claims 1 labels");
  EXPECT_EQ(error(idx_labels(3, "\1\3\2")), "label 1 (counting from 0) is 3, but the 3 classes are 0 to 2");
}

TEST(Idx, NeitherCrashesNorBelievesADamagedFile) {
  const TemporaryFolder folder;
  const std::string pixels = cnn_tests::example_pixels(20, 30), plain = idx_images(20, 5, 6, pixels);
  std::mt19937 random(6);
  for (const std::string& bytes : {plain, compressed(plain)}) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      write_file(folder / "cut", bytes.substr(0, length));
      EXPECT_THROW(read_images(folder / "cut"), FormatError) << "cut to " << length;
    }
    for (int round = 0; round < 500; ++round) {
      std::string damaged = bytes;
      damaged[random() % std::min<std::size_t>(bytes.size(), round % 2 == 0 ? 24 : bytes.size())] ^=
          static_cast<char>(1 << random() % 8);
      write_file(folder / "damaged", damaged);
      try {
        const Read read = read_images(folder / "damaged");
        EXPECT_EQ(read.pixels.size(), pixels.size());
        // A plain file has no checksum, so a pixel may differ; a compressed one has.
        EXPECT_TRUE(bytes == plain || read.pixels == pixels);
      } catch (const FormatError&) {
      }
    }
  }
}

}  // namespace
}  // namespace cnn
