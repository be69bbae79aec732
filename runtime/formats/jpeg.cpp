// JPEG through libjpeg-turbo, with its defaults, as Pillow uses it.
#include <csetjmp>
#include <cstdio>

// jpeglib.h needs <cstdio> before it.
#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <string>

#include "formats/format_error.hpp"
#include "formats/picture_parts.hpp"

namespace cnn::formats {
namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;
/// A progressive picture repeats its scans at no cost in bytes, each of which takes time; cameras write about
/// ten.
constexpr int kMostScans = 500;

/// Everything that must outlive a longjmp. `manager` comes first: libjpeg hands out pointers to it.
struct Decoder {
  jpeg_error_mgr manager{};
  std::jmp_buf on_error{};
  char problem[JMSG_LENGTH_MAX] = {};
  jpeg_decompress_struct info{};
  jpeg_progress_mgr progress{};
  std::uint8_t* rows = nullptr;  // [height][row_bytes]
  std::size_t row_bytes = 0;

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }
};

Decoder& decoder_of(j_common_ptr info) {
  return *reinterpret_cast<Decoder*>(info->err);
}

[[noreturn]] void fail(j_common_ptr info) {
  Decoder& decoder = decoder_of(info);
  info->err->format_message(info, decoder.problem);
  std::longjmp(decoder.on_error, 1);
}

/// A level below 0 is a warning. Where pixels are lost it counts as an error: libjpeg would fill them with
/// gray.
void take_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
      return;
    default:
      fail(info);
  }
}

void count_scans(j_common_ptr info) {
  const auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  if (decompress->input_scan_number <= kMostScans) return;
  Decoder& decoder = decoder_of(info);
  std::snprintf(decoder.problem, sizeof decoder.problem, "more than %d scans", kMostScans);
  std::longjmp(decoder.on_error, 1);
}

/// Each step is a function without objects that a longjmp would skip. False: `problem` says why.
bool read_header(Decoder& decoder, std::span<const std::uint8_t> bytes) {
  if (setjmp(decoder.on_error) != 0) return false;
  jpeg_create_decompress(&decoder.info);
  decoder.progress.progress_monitor = count_scans;
  decoder.info.progress = &decoder.progress;
  jpeg_mem_src(&decoder.info, bytes.data(), static_cast<unsigned long>(bytes.size()));
  jpeg_save_markers(&decoder.info, kExifMarker, 0xffff);
  jpeg_read_header(&decoder.info, TRUE);
  return true;
}

bool start(Decoder& decoder) {
  if (setjmp(decoder.on_error) != 0) return false;
  jpeg_start_decompress(&decoder.info);
  return true;
}

bool read_rows(Decoder& decoder) {
  if (setjmp(decoder.on_error) != 0) return false;
  while (decoder.info.output_scanline < decoder.info.output_height) {
    JSAMPROW row = decoder.rows + decoder.info.output_scanline * decoder.row_bytes;
    jpeg_read_scanlines(&decoder.info, &row, 1);
  }
  jpeg_finish_decompress(&decoder.info);
  return true;
}

[[noreturn]] void report(const Decoder& decoder, const std::filesystem::path& file) {
  const int code = decoder.manager.msg_code;
  const bool truncated = code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JERR_INPUT_EOF;
  throw FormatError(file,
                    fmt::format("is a JPEG picture that {} ({})",
                                truncated ? "is truncated or damaged" : "can't be decoded", decoder.problem));
}

J_COLOR_SPACE output_of(int components, const std::filesystem::path& file) {
  switch (components) {
    case 1:
      return JCS_GRAYSCALE;
    case 3:
      return JCS_RGB;
    case 4:
      return JCS_CMYK;
    default:
      throw FormatError(
          file, fmt::format("is a JPEG picture of {} components; 1, 3 and 4 can be read", components));
  }
}

int orientation_of(const jpeg_decompress_struct& info) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  for (auto marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const std::span<const std::uint8_t> data(marker->data, marker->data_length);
    if (marker->marker == kExifMarker && data.size() > kExif.size() &&
        std::equal(kExif.begin(), kExif.end(), data.begin()))
      return exif_orientation(data.subspan(kExif.size()));
  }
  return 1;
}

/// a * b / 255, rounded, as Pillow rounds it.
int scaled(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// Adobe's programs write CMYK inverted, and so does everybody else by now: 255 is no ink.
void to_rgb(const std::uint8_t* cmyk, std::size_t pixels, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < pixels; ++i) {
    const int light = cmyk[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c)
      rgb[3 * i + c] =
          static_cast<std::uint8_t>(std::clamp(light - scaled(255 - cmyk[4 * i + c], light), 0, 255));
  }
}

}  // namespace

InterleavedPicture decode_jpeg(std::span<const std::uint8_t> bytes, const std::filesystem::path& file) {
  Decoder decoder;
  decoder.info.err = jpeg_std_error(&decoder.manager);
  decoder.manager.error_exit = fail;
  decoder.manager.emit_message = take_message;
  if (!read_header(decoder, bytes)) report(decoder, file);
  jpeg_decompress_struct& info = decoder.info;
  require_picture_size(info.image_width, info.image_height, file);
  info.out_color_space = output_of(info.num_components, file);
  if (!start(decoder)) report(decoder, file);
  InterleavedPicture picture{.channels = info.num_components == 1 ? 1 : 3,
                             .height = static_cast<int>(info.output_height),
                             .width = static_cast<int>(info.output_width),
                             .orientation = orientation_of(info),
                             .bytes = nullptr};
  const std::size_t pixels = std::size_t{info.output_height} * info.output_width;
  const auto components = static_cast<std::size_t>(info.output_components);
  decoder.row_bytes = info.output_width * components;
  // Not set to zero: memory is taken as rows come, not as the header claims.
  auto rows = std::make_unique_for_overwrite<std::uint8_t[]>(pixels * components);
  decoder.rows = rows.get();
  if (!read_rows(decoder)) report(decoder, file);
  if (components == 4) to_rgb(rows.get(), pixels, rows.get());  // in place: 3 bytes never overtake 4
  picture.bytes = std::move(rows);
  return picture;
}

}  // namespace cnn::formats
