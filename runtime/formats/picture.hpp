// Pictures: JPEG and PNG files as bytes, one plane a channel. What a picture is, its content says, not its
// name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace cnn::formats {

/// More pixels than this are refused before anything is allocated for them.
constexpr std::uint64_t kMostPicturePixels = 100'000'000;

/// A decoded picture the right way up: [channels][height][width] bytes, one channel (gray) or three (red,
/// green, blue).
struct Picture {
  int channels = 0, height = 0, width = 0;
  std::unique_ptr<std::uint8_t[]> bytes;

  std::size_t size() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
  std::span<const std::uint8_t> values() const { return {bytes.get(), size()}; }
};

enum class PictureKind { kNone, kJpeg, kPng };

/// What a file that begins with `bytes` is.
PictureKind picture_kind(std::span<const std::uint8_t> bytes);

/// Decodes a whole file's `bytes`; `file` names it in errors. Values are those of Pillow's convert("RGB"), or
/// of its "L" for a gray picture: alpha is dropped, of 16 bits the upper 8 count, CMYK is taken as Adobe
/// writes it, and an EXIF orientation is applied. Throws FormatError for another format, a truncated or
/// damaged picture, and one of more than kMostPicturePixels.
Picture decode_picture(std::span<const std::uint8_t> bytes, const std::filesystem::path& file);

/// Reads and decodes `file`; errors as above.
Picture read_picture(const std::filesystem::path& file);

}  // namespace cnn::formats
