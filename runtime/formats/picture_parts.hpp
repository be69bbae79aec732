// What the decoders of single formats share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace cnn::formats {

/// A picture as decoders give it: [height][width][channels] bytes, as it lies in the file, and how to turn
/// it.
struct InterleavedPicture {
  int channels = 0, height = 0, width = 0;
  int orientation = 1;  // EXIF's 1 to 8
  std::unique_ptr<std::uint8_t[]> bytes;
};

/// Throws FormatError where a header's `width` x `height` is nothing or more than kMostPicturePixels.
void require_picture_size(std::uint64_t width, std::uint64_t height, const std::filesystem::path& file);

InterleavedPicture decode_jpeg(std::span<const std::uint8_t> bytes, const std::filesystem::path& file);
InterleavedPicture decode_png(std::span<const std::uint8_t> bytes, const std::filesystem::path& file);

/// The orientation, 1 to 8, that an EXIF block (TIFF, without the leading "Exif") states; 1 where it states
/// none or can't be understood.
int exif_orientation(std::span<const std::uint8_t> block);

}  // namespace cnn::formats
