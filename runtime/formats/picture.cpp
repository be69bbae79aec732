// Which format a file has, and from interleaved pixels to planes the right way up.
#include "formats/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>
#include <vector>

#include "formats/format_error.hpp"
#include "formats/input_file.hpp"
#include "formats/picture_parts.hpp"

namespace cnn::formats {
namespace {

bool begins(std::span<const std::uint8_t> bytes, std::string_view magic, std::size_t at = 0) {
  return bytes.size() >= at + magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

/// What people are likely to have instead, nullptr where that is not known.
const char* other_kind(std::span<const std::uint8_t> bytes) {
  if (begins(bytes, "GIF8")) return "a GIF picture";
  if (begins(bytes, "RIFF") && begins(bytes, "WEBP", 8)) return "a WebP picture";
  if (begins(bytes, "BM")) return "a BMP picture";
  if (begins(bytes, std::string_view("II*\0", 4)) || begins(bytes, std::string_view("MM\0*", 4)))
    return "a TIFF picture";
  if (begins(bytes, "ftypavif", 4)) return "an AVIF picture";
  if (begins(bytes, "ftyphei", 4) || begins(bytes, "ftypmif1", 4)) return "a HEIF picture";
  if (begins(bytes, std::string_view("\0\0\0\x0cjP  ", 8))) return "a JPEG 2000 picture";
  if (begins(bytes, "%PDF")) return "a PDF document";
  if (begins(bytes, "<")) return "a text in HTML or XML";
  return nullptr;
}

/// Where pixel (y, x) of the picture the right way up lies in the file's: EXIF's eight orientations.
/// Distances count pixels.
struct Walk {
  int height, width;
  std::ptrdiff_t first, down, right;
};

Walk walk_of(const InterleavedPicture& from) {
  const std::ptrdiff_t h = from.height, w = from.width;
  switch (from.orientation) {
    case 2:
      return {from.height, from.width, w - 1, w, -1};
    case 3:
      return {from.height, from.width, h * w - 1, -w, -1};
    case 4:
      return {from.height, from.width, (h - 1) * w, -w, 1};
    case 5:
      return {from.width, from.height, 0, 1, w};
    case 6:
      return {from.width, from.height, (h - 1) * w, 1, -w};
    case 7:
      return {from.width, from.height, h * w - 1, -1, -w};
    case 8:
      return {from.width, from.height, w - 1, -1, w};
    default:
      return {from.height, from.width, 0, w, 1};
  }
}

Picture upright_planes(const InterleavedPicture& from) {
  const Walk walk = walk_of(from);
  Picture picture{from.channels, walk.height, walk.width, nullptr};
  picture.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(picture.size());
  const std::size_t plane = picture.size() / static_cast<std::size_t>(picture.channels);
  const std::ptrdiff_t channels = from.channels;
  for (int y = 0; y < walk.height; ++y) {
    const std::uint8_t* source = from.bytes.get() + (walk.first + y * walk.down) * channels;
    std::uint8_t* target =
        picture.bytes.get() + static_cast<std::size_t>(y) * static_cast<std::size_t>(walk.width);
    for (int channel = 0; channel < picture.channels; ++channel)
      for (int x = 0; x < walk.width; ++x)
        target[static_cast<std::size_t>(channel) * plane + static_cast<std::size_t>(x)] =
            source[x * walk.right * channels + channel];
  }
  return picture;
}

}  // namespace

void require_picture_size(std::uint64_t width, std::uint64_t height, const std::filesystem::path& file) {
  if (width == 0 || height == 0)
    throw FormatError(file, fmt::format("is damaged: its header claims {}x{} pixels", height, width));
  if (width * height > kMostPicturePixels)
    throw FormatError(file, fmt::format("claims {}x{} pixels; pictures of up to {} million pixels are read",
                                        height, width, kMostPicturePixels / 1'000'000));
}

PictureKind picture_kind(std::span<const std::uint8_t> bytes) {
  if (begins(bytes, "\xff\xd8\xff")) return PictureKind::kJpeg;
  if (begins(bytes, "\x89PNG\r\n\x1a\n")) return PictureKind::kPng;
  return PictureKind::kNone;
}

Picture decode_picture(std::span<const std::uint8_t> bytes, const std::filesystem::path& file) {
  const PictureKind kind = picture_kind(bytes);
  if (kind == PictureKind::kNone) {
    const char* other = bytes.empty() ? "empty" : other_kind(bytes);
    throw FormatError(file, fmt::format("is {}; JPEG and PNG pictures can be read",
                                        other != nullptr ? other : "no picture that is known"));
  }
  try {
    return upright_planes(kind == PictureKind::kJpeg ? decode_jpeg(bytes, file) : decode_png(bytes, file));
  } catch (const std::bad_alloc&) {
    throw FormatError(file, "takes more memory to decode than there is");
  }
}

Picture read_picture(const std::filesystem::path& path) {
  InputFile file(path);
  std::array<std::uint8_t, 16> begin{};
  const std::size_t found = file.read(std::as_writable_bytes(std::span(begin)));
  // A large file that is no picture is not read any further.
  if (picture_kind(begin) == PictureKind::kNone) return decode_picture(std::span(begin).first(found), path);
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
  if (file.size() > kMostBytes)
    throw FormatError(path, fmt::format("has {} bytes; pictures of up to 1 GiB are read", file.size()));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
  const std::size_t head = std::min(found, bytes.size());
  std::copy_n(begin.begin(), head, bytes.begin());
  file.read_all(std::as_writable_bytes(std::span(bytes).subspan(head)));
  return decode_picture(bytes, path);
}

}  // namespace cnn::formats
