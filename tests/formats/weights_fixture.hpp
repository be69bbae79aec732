// Six numbers in a file, and what is said of files that are wrong in something.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "formats/format_error.hpp"
#include "formats/weights.hpp"
#include "pytorch_files.hpp"
#include "temporary_folder.hpp"

namespace cnn_tests {

using cnn::formats::FormatError;
using cnn::formats::WeightsFile;

inline const std::vector<float> kSix{1, 2, 3, 4, 5, 6};

/// A 2x3 tensor over six numbers, and what it may be wrong in.
inline PickledTensor matrix(std::string name = "w") {
  return {.name = std::move(name), .extents = {2, 3}, .strides = {3, 1}, .key = "0", .count = 6};
}

inline const std::vector<Storage> kSixStorage{{"0", storage_bytes(kSix), 6}};

inline std::vector<float> read_tensor(const WeightsFile& file, std::size_t index = 0) {
  std::vector<float> values(static_cast<std::size_t>(file.tensors().at(index).count));
  file.read(index, values);
  return values;
}

class Weights : public testing::Test {
 protected:
  WeightsFile open(const std::string& bytes) {
    write_file(folder_ / "w.pth", bytes);
    return WeightsFile(folder_ / "w.pth");
  }

  /// What is said of a file, without its name.
  std::string refusal(const std::string& bytes) {
    std::string text = error_of<FormatError>([&] { open(bytes); });
    const std::string name = (folder_ / "w.pth").string() + ": ";
    EXPECT_EQ(text.substr(0, name.size()), name);
    return text.substr(std::min(name.size(), text.size()));
  }

  std::string refusal_of_value(const std::string& bytes) {
    const WeightsFile file = open(bytes);
    std::string text = error_of<FormatError>([&] { read_tensor(file); });
    EXPECT_EQ(error_of<FormatError>([&] { file.check(0); }), text);
    return text.substr(text.find(": ") + 2);
  }

  TemporaryFolder folder_;
};

}  // namespace cnn_tests
