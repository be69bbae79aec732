// A regular file opened for reading, whose real size is known before anything in it is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace cnn::formats {

/// All errors are FormatError: missing, not a regular file, unreadable.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& file);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Bytes, when it was opened.
  std::uint64_t size() const { return size_; }
  /// Up to destination.size() of the next bytes; fewer only at the end of the file.
  std::size_t read(std::span<std::byte> destination);
  /// Exactly the next destination.size() bytes.
  void read_all(std::span<std::byte> destination);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace cnn::formats
