// IDX files, the format of MNIST and its family: images and labels as bytes behind a short header, plain or
// gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace cnn {

/// A file of gray images; all have one size.
struct IdxImages {
  std::uint32_t count = 0;
  int height = 0, width = 0;

  std::size_t image_bytes() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }
};

/// Takes `bytes` of images, the first of which is image `first`; all but the last call get the same number.
using TakeImages =
    std::function<void(const IdxImages& header, std::uint32_t first, std::span<const std::uint8_t> bytes)>;

/// `directory`/`name`, or the same with ".gz". Throws FormatError, naming both, where there is neither.
std::filesystem::path find_idx_file(const std::filesystem::path& directory, std::string_view name);

/// Reads [count][height][width] bytes with magic 0x00000803 piece by piece, so that memory follows what is
/// really there. Throws FormatError for another magic, sizes of zero or that the file can't hold, and too few
/// or too many bytes.
IdxImages read_idx_images(const std::filesystem::path& file, const TakeImages& take);

/// Reads [count] labels with magic 0x00000801. Throws FormatError as above, and for a label that is not below
/// `classes`.
std::vector<std::uint8_t> read_idx_labels(const std::filesystem::path& file, int classes);

}  // namespace cnn
