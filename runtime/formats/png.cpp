// PNG through libpng.
#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "formats/format_error.hpp"
#include "formats/picture_parts.hpp"

namespace cnn::formats {
namespace {

/// Everything that must outlive a longjmp.
struct Decoder {
  std::span<const std::uint8_t> left;  // bytes that libpng has not read
  std::string problem;
  png_structp png = nullptr;
  png_infop info = nullptr, end = nullptr;
  std::vector<png_bytep> rows;

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { png_destroy_read_struct(&png, &info, &end); }
};

[[noreturn]] void fail(png_structp png, png_const_charp message) {
  static_cast<Decoder*>(png_get_error_ptr(png))->problem = message;
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto& left = static_cast<Decoder*>(png_get_io_ptr(png))->left;
  if (count > left.size()) png_error(png, "it ends early");
  std::memcpy(to, left.data(), count);
  left = left.subspan(count);
}

/// Each step is a function without objects that a longjmp would skip. False: `problem` says why.
bool read_header(Decoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_set_read_fn(decoder.png, &decoder, read_bytes);
  png_read_info(decoder.png, decoder.info);
  return true;
}

/// Asks for 8 bits a channel, gray or RGB, no alpha.
bool choose_output(Decoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  const int color = png_get_color_type(decoder.png, decoder.info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(decoder.png);
  if (color == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(decoder.png);
  if (png_get_bit_depth(decoder.png, decoder.info) == 16) png_set_strip_16(decoder.png);
  png_set_strip_alpha(decoder.png);
  png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
  return true;
}

bool read_rows(Decoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_read_image(decoder.png, decoder.rows.data());
  png_read_end(decoder.png, decoder.end);
  return true;
}

[[noreturn]] void report(const Decoder& decoder, const std::filesystem::path& file) {
  const bool truncated = decoder.left.empty() || decoder.problem == "it ends early";
  throw FormatError(file,
                    fmt::format("is a PNG picture that {} ({})",
                                truncated ? "is truncated or damaged" : "can't be decoded", decoder.problem));
}

/// The chunk may stand before or behind the pixels.
int orientation_of(const Decoder& decoder) {
  for (const png_infop info : {decoder.info, decoder.end}) {
    png_uint_32 count = 0;
    png_bytep block = nullptr;
    if (png_get_eXIf_1(decoder.png, info, &count, &block) != 0 && block != nullptr)
      return exif_orientation({block, count});
  }
  return 1;
}

/// zlib makes at most 1032 bytes of one; a header that claims more lies.
void require_bytes(std::uint64_t claimed, std::uint64_t there, const std::filesystem::path& file) {
  constexpr std::uint64_t kMostInflation = 1032;
  if (claimed > there * kMostInflation)
    throw FormatError(file, fmt::format("is a PNG picture that is truncated or damaged: its header claims {} "
                                        "bytes of pixels, which its {} "
                                        "bytes can't hold",
                                        claimed, there));
}

}  // namespace

InterleavedPicture decode_png(std::span<const std::uint8_t> bytes, const std::filesystem::path& file) {
  Decoder decoder;
  decoder.left = bytes;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, fail, ignore_warning);
  if (decoder.png != nullptr) decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info != nullptr) decoder.end = png_create_info_struct(decoder.png);
  if (decoder.end == nullptr) throw std::bad_alloc();
  if (!read_header(decoder)) report(decoder, file);
  const std::uint64_t width = png_get_image_width(decoder.png, decoder.info);
  const std::uint64_t height = png_get_image_height(decoder.png, decoder.info);
  require_picture_size(width, height, file);
  require_bytes(height * png_get_rowbytes(decoder.png, decoder.info), bytes.size(), file);
  if (!choose_output(decoder)) report(decoder, file);
  const std::size_t row_bytes = png_get_rowbytes(decoder.png, decoder.info);
  InterleavedPicture picture{.channels = png_get_channels(decoder.png, decoder.info),
                             .height = static_cast<int>(height),
                             .width = static_cast<int>(width),
                             .orientation = 1,
                             .bytes = std::make_unique_for_overwrite<std::uint8_t[]>(height * row_bytes)};
  decoder.rows.resize(height);
  for (std::size_t y = 0; y < height; ++y) decoder.rows[y] = picture.bytes.get() + y * row_bytes;
  if (!read_rows(decoder)) report(decoder, file);
  picture.orientation = orientation_of(decoder);
  return picture;
}

}  // namespace cnn::formats
