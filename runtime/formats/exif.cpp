// The one field of EXIF that changes pixels: tag 0x0112 of the first directory (EXIF 2.3, 4.6.4).
#include "formats/picture_parts.hpp"

namespace cnn::formats {
namespace {

/// Numbers of a TIFF block in its own byte order; 0 beyond its end.
class TiffBlock {
 public:
  explicit TiffBlock(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    if (bytes.size() < 8) return;
    big_endian_ = bytes[0] == 'M' && bytes[1] == 'M';
    const bool little_endian = bytes[0] == 'I' && bytes[1] == 'I';
    valid_ = (big_endian_ || little_endian) && number(2, 2) == 42;
  }

  bool valid() const { return valid_; }
  std::uint32_t number(std::size_t place, std::size_t length) const {
    if (place > bytes_.size() || length > bytes_.size() - place) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i)
      value |= std::uint32_t{bytes_[place + i]} << 8 * (big_endian_ ? length - 1 - i : i);
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool big_endian_ = false;
  bool valid_ = false;
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> block) {
  constexpr std::uint32_t kOrientation = 0x0112, kShort = 3, kLong = 4;
  constexpr std::size_t kEntryBytes = 12;
  const TiffBlock tiff(block);
  if (!tiff.valid()) return 1;
  const std::size_t directory = tiff.number(4, 4);
  const std::size_t entries = tiff.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (tiff.number(entry, 2) != kOrientation) continue;
    const std::uint32_t type = tiff.number(entry + 2, 2);
    const std::uint32_t value = tiff.number(entry + 8, type == kLong ? 4 : 2);
    const bool known = (type == kShort || type == kLong) && value >= 1 && value <= 8;
    return known ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace cnn::formats
