// What is no picture, truncated, damaged or lies about its size is refused by name, and nothing makes the
// decoders crash. That sound pictures are decoded right is tests/data/pictures_test.py's to prove.
#include "formats/picture.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <random>

#include "formats/format_error.hpp"
#include "picture_files.hpp"
#include "temporary_folder.hpp"

namespace cnn::formats {
namespace {

using cnn_tests::example_jpeg;
using cnn_tests::example_png;
using cnn_tests::kPngMagic;
using cnn_tests::png_chunk;
using cnn_tests::png_header;

Picture decode(const std::string& bytes) {
  return decode_picture({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "photo.jpg");
}

std::string error_of(const std::string& bytes) {
  try {
    decode(bytes);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

std::string interlaced_png() {
  // One pixel is Adam7's first pass alone; 9 rows and 3 columns have pixels in six of seven.
  std::string rows;
  const int passes[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                            {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  for (const auto& [left, top, right, down] : passes)
    for (int y = top; y < 9 && left < 3; y += down) {
      rows.push_back(0);
      for (int x = left; x < 3; x += right)
        rows.push_back(static_cast<char>(cnn_tests::picture_byte(1, y, x, 0)));
    }
  return kPngMagic + png_header(3, 9, 8, 0, 1) + png_chunk("IDAT", cnn_tests::zlib_compressed(rows)) +
         png_chunk("IEND", "");
}

std::vector<std::string> examples() {
  return {example_png(1, 12, 17, 3),  example_png(2, 5, 3, 1),          interlaced_png(),
          example_jpeg(3, 20, 33, 3), example_jpeg(4, 20, 33, 3, true), example_jpeg(5, 9, 16, 1),
          example_jpeg(6, 10, 10, 4), example_jpeg(7, 16, 8, 4, true)};
}

TEST(Picture, DecodesPngExactly) {
  const Picture picture = decode(example_png(1, 4, 5, 3));
  ASSERT_EQ(picture.channels, 3);
  ASSERT_EQ(picture.height, 4);
  ASSERT_EQ(picture.width, 5);
  for (int channel = 0; channel < 3; ++channel)
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 5; ++x)
        EXPECT_EQ(picture.bytes[static_cast<std::size_t>((channel * 4 + y) * 5 + x)],
                  cnn_tests::picture_byte(1, y, x, channel));
  const Picture interlaced = decode(interlaced_png());
  for (int y = 0; y < 9; ++y)
    for (int x = 0; x < 3; ++x)
      EXPECT_EQ(interlaced.bytes[static_cast<std::size_t>(y * 3 + x)], cnn_tests::picture_byte(1, y, x, 0));
}

TEST(Picture, DecodesJpegNearly) {
  const Picture picture = decode(example_jpeg(9, 16, 16, 1));
  ASSERT_EQ(picture.channels, 1);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 4; ++x)
      EXPECT_NEAR(picture.bytes[static_cast<std::size_t>(y * 16 + x)], cnn_tests::picture_byte(9, y, x, 0),
                  40);
}

TEST(Picture, NamesWhatItCanNotRead) {
  EXPECT_EQ(error_of(""), "photo.jpg: is empty; JPEG and PNG pictures can be read");
  EXPECT_EQ(error_of("GIF89a..."), "photo.jpg: is a GIF picture; JPEG and PNG pictures can be read");
  EXPECT_EQ(error_of("<html>"), "photo.jpg: is a text in HTML or XML; JPEG and PNG pictures can be read");
  EXPECT_EQ(error_of("hello"), "photo.jpg: is no picture that is known; JPEG and PNG pictures can be read");
}

TEST(Picture, NamesTheFileThatIsMissing) {
  try {
    read_picture("/nowhere/photo.jpg");
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_STREQ(error.what(), "/nowhere/photo.jpg: not found");
  }
}

TEST(Picture, ReadsAFile) {
  const cnn_tests::TemporaryFolder folder;
  cnn_tests::write_file(folder / "a.jpg", example_png(1, 4, 5, 3));
  EXPECT_EQ(read_picture(folder / "a.jpg").width, 5);
  cnn_tests::write_file(folder / "b.jpg", "short");
  EXPECT_THROW(read_picture(folder / "b.jpg"), FormatError);
}

TEST(Picture, RefusesEveryTruncation) {
  for (const std::string& example : examples()) {
    EXPECT_EQ(error_of(example), "");
    // A JPEG may lack its end mark and have all of its pixels.
    const bool is_jpeg = example.front() != kPngMagic.front();
    for (std::size_t size = 0; size + (is_jpeg ? 2 : 0) < example.size(); ++size)
      EXPECT_NE(error_of(example.substr(0, size)), "") << size << " of " << example.size() << " bytes";
  }
}

TEST(Picture, RefusesSizesThatAFileOnlyClaims) {
  const std::string pixels = png_chunk("IDAT", cnn_tests::zlib_compressed("xyz")) + png_chunk("IEND", "");
  EXPECT_EQ(error_of(kPngMagic + png_header(100'000, 100'000, 8, 2) + pixels),
            "photo.jpg: claims 100000x100000 pixels; pictures of up to 100 million pixels are read");
  EXPECT_EQ(error_of(kPngMagic + png_header(10'000, 9'000, 8, 2) + pixels),
            "photo.jpg: is a PNG picture that is truncated or damaged: its header claims 270000000 bytes of "
            "pixels, which its "
            "68 bytes can't hold");
  std::string jpeg = example_jpeg(1, 8, 8, 3);
  const std::size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xff\xdc\xff\xdc");  // 65500 x 65500
  EXPECT_EQ(error_of(jpeg),
            "photo.jpg: claims 65500x65500 pixels; pictures of up to 100 million pixels are read");
}

TEST(Picture, TakesNoMemoryForPixelsThatAreNotThere) {
  std::string jpeg = example_jpeg(1, 8, 8, 3);
  const std::size_t frame = jpeg.find("\xff\xc0");
  jpeg.replace(frame + 5, 4, "\x27\x10\x27\x10");  // 10,000 x 10,000: 300 MB
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_NE(error_of(jpeg), "");
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 100'000);  // KiB
}

TEST(Picture, SurvivesAnyDamage) {
  // Either a picture or a FormatError: anything else ends the test, and sanitizers look on.
  std::mt19937 random(1);
  int refused = 0, decoded = 0;
  for (const std::string& example : examples())
    for (int round = 0; round < 1500; ++round) {
      std::string damaged = example;
      const std::size_t flips = 1 + random() % 4;
      for (std::size_t i = 0; i < flips; ++i)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      if (random() % 8 == 0) damaged.resize(random() % damaged.size());
      if (random() % 8 == 0)
        damaged.insert(random() % damaged.size(), damaged.substr(random() % damaged.size()));
      ++(error_of(damaged).empty() ? decoded : refused);
    }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(decoded, 100);
}

TEST(Picture, SurvivesDamageUnderSoundChecksums) {
  // In a PNG file checksums stop most damage at the door; here they fit.
  std::mt19937 random(2);
  for (int round = 0; round < 3000; ++round) {
    const auto byte = [&] { return static_cast<char>(random()); };
    const auto small = [&] { return static_cast<std::uint32_t>(1 + random() % 20); };
    std::string rows(random() % 300, '\0');
    for (char& value : rows) value = byte();
    std::string palette(random() % 30, '\0'),
        exif("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", 22);
    for (char& value : palette) value = byte();
    exif[random() % exif.size()] = byte();
    const char depths[] = {1, 2, 4, 8, 16}, colors[] = {0, 2, 3, 4, 6};
    std::string file = kPngMagic + png_header(small(), small(), depths[random() % 5], colors[random() % 5],
                                              static_cast<char>(random() % 2));
    if (random() % 2 == 0) file += png_chunk("PLTE", palette);
    if (random() % 2 == 0) file += png_chunk("tRNS", palette);
    if (random() % 2 == 0) file += png_chunk("eXIf", exif.substr(0, random() % (exif.size() + 1)));
    file += png_chunk("IDAT", cnn_tests::zlib_compressed(rows)) + png_chunk("IEND", "");
    error_of(file);
  }
}

}  // namespace
}  // namespace cnn::formats
