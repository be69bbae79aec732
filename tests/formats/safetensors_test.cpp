// Round trips, the exact bytes, and headers that claim what is not so.
#include "formats/safetensors.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "formats/format_error.hpp"
#include "temporary_folder.hpp"

namespace cnn::formats {
namespace {

using cnn_tests::error_of;
using cnn_tests::read_file;
using cnn_tests::TemporaryFolder;
using cnn_tests::write_file;

std::string file_bytes(std::string_view header, std::size_t data_bytes) {
  const auto length = std::bit_cast<std::array<char, 8>>(std::uint64_t{header.size()});
  return std::string(length.data(), 8) + std::string(header) + std::string(data_bytes, '\0');
}

std::string bits(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

TEST(Safetensors, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  const std::vector<float> matrix{1,      -0.0f,          std::numeric_limits<float>::infinity(),
                                  1e-40f, std::nanf("7"), 6};
  const std::vector<float> scalar{42};
  const std::vector<TensorView> tensors{{"features.conv1.weight", {2, 3}, matrix},
                                        {"empty", {0, 5}, {}},
                                        {"scalar", {}, scalar},
                                        {"größe \"x\"\n", {1}, scalar}};
  write_safetensors(folder / "weights.safetensors", {{"classes", "[\"a\"]"}, {"empty", ""}}, tensors);

  const SafetensorsFile file(folder / "weights.safetensors");
  EXPECT_EQ(file.metadata(), (Metadata{{"classes", "[\"a\"]"}, {"empty", ""}}));
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const TensorView& tensor : tensors) {
    const TensorView found = file.tensor(tensor.name);
    EXPECT_EQ(found.extents, tensor.extents) << tensor.name;
    EXPECT_EQ(bits(found.values), bits(tensor.values)) << tensor.name;
  }
  EXPECT_EQ(file.find("absent"), nullptr);
  EXPECT_EQ(error_of<FormatError>([&] { file.tensor("absent"); }),
            (folder / "weights.safetensors").string() + ": has no tensor 'absent'");
}

TEST(Safetensors, WritesTheseBytes) {
  const TemporaryFolder folder;
  const std::vector<float> values{1, 2};
  write_safetensors(folder / "a", {{"k", "v"}}, std::vector<TensorView>{{"w", {2}, values}});
  const std::string header =
      R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  std::string expected = file_bytes(header + padding, 0) + bits(values);
  EXPECT_EQ(read_file(folder / "a"), expected);
  EXPECT_EQ((header.size() + padding.size()) % 8, 0u);
}

TEST(Safetensors, WritesNoTensorsAndNoMetadata) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a", {}, {});
  EXPECT_EQ(read_file(folder / "a"), file_bytes("{}      ", 0));
  EXPECT_TRUE(SafetensorsFile(folder / "a").tensors().empty());
}

TEST(Safetensors, RefusesToWriteNonsenseAndKeepsTheOldFile) {
  const TemporaryFolder folder;
  write_file(folder / "a", "old");
  const std::vector<float> values{1, 2};
  const auto write = [&](std::vector<TensorView> tensors, const Metadata& metadata) {
    write_safetensors(folder / "a", metadata, tensors);
  };
  EXPECT_EQ(error_of<std::invalid_argument>([&] {
              write({{"w", {3}, values}}, {});
            }),
            "tensor 'w' of 3 has 2 values");
  EXPECT_EQ(error_of<std::invalid_argument>([&] {
              write({{"w", {2}, values}, {"w", {2}, values}}, {});
            }),
            "tensor 'w' can't be written twice");
  EXPECT_EQ(error_of<FormatError>([&] {
              write({}, {{"k", "\xff"}});
            }),
            (folder / "a").string() + ": can't be written: a name or a text of its metadata is not UTF-8");
  EXPECT_EQ(read_file(folder / "a"), "old");
}

TEST(Safetensors, ReadsOtherTypesButGivesOnlyFloats) {
  const TemporaryFolder folder;
  write_file(folder / "a", file_bytes(R"({"n":{"dtype":"I64","shape":[],"data_offsets":[4,12]},)"
                                      R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                      12));
  const SafetensorsFile file(folder / "a");
  EXPECT_EQ(file.names(), (std::vector<std::string>{"w", "n"}));
  EXPECT_EQ(file.tensor("w").values.size(), 1u);
  EXPECT_EQ(error_of<FormatError>([&] { file.tensor("n"); }),
            (folder / "a").string() + ": tensor 'n' is of type I64; only F32 can be used");
}

struct Malformed {
  const char* what;
  std::string bytes;
  const char* expected;

  friend void PrintTo(const Malformed& malformed, std::ostream* out) { *out << malformed.what; }
};

const Malformed kMalformed[] = {
    {"Empty", "", "is not a safetensors file: it has only 0 bytes"},
    {"SevenBytes", "1234567", "is not a safetensors file: it has only 7 bytes"},
    {"HugeHeader", std::string(8, '\xff') + "{}",
     "is not a safetensors file: its first 8 bytes are no header length"},
    {"HeaderBeyondTheEnd", file_bytes("{}", 0).replace(0, 1, "\x40"),
     "is truncated: its header should have 64 bytes, but 2 are left"},
    {"NoJson", file_bytes("{\"w\":", 0),
     "is not a safetensors file: in its header, it is not valid JSON at byte 6"},
    {"BytesAfterTheJson", file_bytes("{}x", 0),
     "is not a safetensors file: in its header, it is not valid JSON at byte 3"},
    {"AList", file_bytes("[]", 0),
     "is not a safetensors file: in its header, a list stands where an object of tensors was expected"},
    {"ANumber", file_bytes("{\"w\":3}", 0), "is not a safetensors file: in its header, 'w' is the number 3"},
    {"Null", file_bytes("{\"w\":null}", 0), "is not a safetensors file: in its header, 'w' is null"},
    {"DeepLists", file_bytes("{\"w\":" + std::string(100'000, '['), 0),
     "is not a safetensors file: in its header, 'w' is a list"},
    {"DeepObjects", file_bytes(R"({"w":{"a":{"b":{"c":1}}}})", 0),
     "is not a safetensors file: in its header, 'a' of 'w' is an object"},
    {"NumberInMetadata", file_bytes(R"({"__metadata__":{"k":1}})", 0),
     "is not a safetensors file: in its header, 'k' of '__metadata__' is the number 1"},
    {"ListInMetadata", file_bytes(R"({"__metadata__":{"shape":[]}})", 0),
     "is not a safetensors file: in its header, 'shape' of '__metadata__' is a list"},
    {"NoType", file_bytes(R"({"w":{"shape":[1],"data_offsets":[0,4]}})", 4),
     "is not a safetensors file: in its header, tensor 'w' has no dtype"},
    {"NoShape", file_bytes(R"({"w":{"dtype":"F32","data_offsets":[0,4]}})", 4),
     "is not a safetensors file: in its header, tensor 'w' has no shape"},
    {"NoOffsets", file_bytes(R"({"w":{"dtype":"F32","shape":[1]}})", 4),
     "is not a safetensors file: in its header, tensor 'w' has no data_offsets"},
    {"ThreeOffsets", file_bytes(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 8),
     "is not a safetensors file: in its header, tensor 'w' has 3 data_offsets instead of 2"},
    {"NegativeExtent", file_bytes(R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4),
     "is not a safetensors file: in its header, 'shape' of 'w' is the number -1"},
    {"FractionalExtent", file_bytes(R"({"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4),
     "is not a safetensors file: in its header, 'shape' of 'w' is the number 1.5"},
    {"ExtentOver63Bits",
     file_bytes(R"({"w":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4),
     "is not a safetensors file: in its header, 'w' has 18446744073709551615 in its shape, which is too "
     "large"},
    {"SameNameTwice",
     file_bytes(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                R"("w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                8),
     "is not a safetensors file: in its header, 'w' is there twice"},
    {"SameFieldTwice",
     file_bytes(R"({"w":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4),
     "is not a safetensors file: in its header, 'w' has 'dtype' twice"},
    {"UnknownType", file_bytes(R"({"w":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4),
     "is not a sound safetensors file: tensor 'w' has the unknown type 'F31'"},
    {"BeyondTheData", file_bytes(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4),
     "is not a sound safetensors file: tensor 'w' should be bytes 0 to 8 of the data, of which the file has "
     "4"},
    {"Backwards", file_bytes(R"({"w":{"dtype":"F32","shape":[0],"data_offsets":[4,0]}})", 4),
     "is not a sound safetensors file: tensor 'w' should be bytes 4 to 0 of the data, of which the file has "
     "4"},
    {"WrongShape", file_bytes(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
     "is not a sound safetensors file: tensor 'w' of F32 3 does not fit the 8 bytes given to it"},
    {"ShapeThatOverflows",
     file_bytes(R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
     "is not a sound safetensors file: tensor 'w' of F32 4294967296x4294967296 does not fit the 0 bytes "
     "given to it"},
    {"Overlap",
     file_bytes(R"({"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                R"("w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                12),
     "is not a sound safetensors file: tensor 'w' begins at byte 4 of the data, but the one before it ends "
     "at 8"},
    {"Gap", file_bytes(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8),
     "is not a sound safetensors file: tensor 'w' begins at byte 4 of the data, but the one before it ends "
     "at 0"},
    {"BytesAfterTheTensors", file_bytes(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5),
     "is not a sound safetensors file: its tensors take 4 bytes, but 5 follow its header"},
};

class SafetensorsMalformed : public testing::TestWithParam<Malformed> {};

TEST_P(SafetensorsMalformed, IsRefused) {
  const TemporaryFolder folder;
  write_file(folder / "a", GetParam().bytes);
  EXPECT_EQ(error_of<FormatError>([&] { SafetensorsFile file(folder / "a"); }),
            (folder / "a").string() + ": " + GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Headers, SafetensorsMalformed, testing::ValuesIn(kMalformed),
                         [](const auto& info) { return info.param.what; });

TEST(Safetensors, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of<FormatError>([&] { SafetensorsFile file(folder / "absent"); }),
            (folder / "absent").string() + ": not found");
  EXPECT_EQ(error_of<FormatError>([&] { SafetensorsFile file(folder.path()); }),
            folder.path().string() + ": is a directory, not a file");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of<FormatError>([&] { SafetensorsFile file(folder / "pipe"); }),
            (folder / "pipe").string() + ": is not a regular file");
}

/// Reads all that a file has, where it can be read at all.
bool reads(const std::filesystem::path& path) {
  try {
    const SafetensorsFile file(path);
    float sum = 0;
    for (const TensorEntry& tensor : file.tensors())
      for (const float value : file.values(tensor)) sum += value;
    return sum == sum || sum != sum;
  } catch (const FormatError&) {
    return false;
  }
}

TEST(Safetensors, NeitherCrashesNorBelievesADamagedFile) {
  const TemporaryFolder folder;
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  write_safetensors(folder / "a", {{"name", "value"}},
                    std::vector<TensorView>{{"first", {2, 3}, values}, {"second", {6}, values}});
  const std::string bytes = read_file(folder / "a");
  std::mt19937 random(2);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    write_file(folder / "b", bytes.substr(0, length));
    EXPECT_FALSE(reads(folder / "b")) << "cut to " << length;
  }
  int refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string damaged = bytes;
    const int flips = 1 + static_cast<int>(random() % 3);
    for (int flip = 0; flip < flips; ++flip)
      damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    write_file(folder / "b", damaged);
    refused += !reads(folder / "b");
  }
  EXPECT_GT(refused, 500);  // the header is two thirds of the file, and little of it is free
  EXPECT_LT(refused, 1500);
}

}  // namespace
}  // namespace cnn::formats
