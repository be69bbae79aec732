// Tensors as bytes of a file that was read: what readers of weights hand to WeightsFile. Inside of formats
// only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/safetensors.hpp"
#include "formats/weights.hpp"

namespace cnn::formats {

/// A tensor over a piece of memory. Every number that its extents reach lies inside of `storage`: whoever
/// makes one has checked that.
struct StridedTensor {
  StoredTensor described;
  std::span<const std::byte> storage = {};
  std::int64_t offset = 0;                 // numbers, from the start of the storage
  std::vector<std::int64_t> strides = {};  // numbers, one an extent
};

/// What a file holds, whatever its format.
struct TensorList {
  std::string format;
  Metadata metadata;
  std::vector<StridedTensor> tensors;
  std::vector<std::string> notes;
  std::shared_ptr<const void> memory;  // that the storages lie in
};

/// A file's bytes in memory, aligned to 8.
class FileBytes {
 public:
  /// Reads all of `file`. Throws FormatError.
  explicit FileBytes(const std::filesystem::path& file);

  const std::filesystem::path& file() const { return file_; }
  std::span<const std::byte> all() const { return {reinterpret_cast<const std::byte*>(data_.get()), size_}; }

 private:
  std::filesystem::path file_;
  std::size_t size_ = 0;
  std::unique_ptr<std::uint64_t[]> data_;
};

/// Numbers that a shape has; none where that is more than 64 bits hold or an extent is negative.
std::optional<std::int64_t> element_count(std::span<const std::int64_t> extents);

/// Tensors of a file that torch.save wrote, since 1.6 (a ZIP archive) and before. Throw FormatError.
TensorList read_pytorch_archive(std::shared_ptr<const FileBytes> bytes);
TensorList read_pytorch_legacy(std::shared_ptr<const FileBytes> bytes);
/// Whether the bytes begin as such a file does.
bool is_pytorch_archive(std::span<const std::byte> bytes);
bool is_pytorch_legacy(std::span<const std::byte> bytes);

}  // namespace cnn::formats
