// The bytes of a file, inflated where it is a gzip file.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/input_file.hpp"

namespace cnn {

/// Reads from front to back. Whether a file is compressed is seen from its first bytes, not from its name.
/// All errors are formats::FormatError.
class ByteStream {
 public:
  explicit ByteStream(const std::filesystem::path& file);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  const std::filesystem::path& path() const { return file_.path(); }
  /// More bytes than this the file can't hold, whatever it claims: its size, or what gzip can make of it at
  /// best.
  std::uint64_t most_bytes() const;
  /// Up to destination.size() of the next bytes; fewer only at the end.
  std::size_t read(std::span<std::uint8_t> destination);

 private:
  std::size_t read_plain(std::span<std::uint8_t> destination);
  std::size_t read_compressed(std::span<std::uint8_t> destination);
  bool refill();

  formats::InputFile file_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of the buffer's bytes that nobody has read
  bool compressed_ = false;
  bool between_members_ = false;  // a gzip file may be several, one after the other
  bool finished_ = false;
  z_stream stream_{};
};

}  // namespace cnn
