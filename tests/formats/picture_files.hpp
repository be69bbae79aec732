// Small JPEG and PNG files made for tests.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

namespace cnn_tests {

/// Byte `channel` of pixel (y, x) of example `seed`.
inline std::uint8_t picture_byte(int seed, int y, int x, int channel) {
  return static_cast<std::uint8_t>(seed * 37 + y * 11 + x * 5 + channel * 60);
}

/// [height][width][channels]
inline std::vector<std::uint8_t> picture_bytes(int seed, int height, int width, int channels) {
  std::vector<std::uint8_t> bytes;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int channel = 0; channel < channels; ++channel) bytes.push_back(picture_byte(seed, y, x, channel));
  return bytes;
}

inline std::string number_be(std::uint32_t number) {
  std::string text;
  for (const int shift : {24, 16, 8, 0}) text.push_back(static_cast<char>(number >> shift));
  return text;
}

/// A chunk of a PNG file.
inline std::string png_chunk(const std::string& kind, const std::string& data) {
  const std::string body = kind + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return number_be(static_cast<std::uint32_t>(data.size())) + body +
         number_be(static_cast<std::uint32_t>(sum));
}

inline std::string zlib_compressed(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string result(size, '\0');
  if (compress(reinterpret_cast<Bytef*>(result.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
               text.size()) != Z_OK)
    throw std::runtime_error("zlib can't compress");
  result.resize(size);
  return result;
}

inline const std::string kPngMagic("\x89PNG\r\n\x1a\n", 8);

inline std::string png_header(std::uint32_t width, std::uint32_t height, char depth, char color,
                              char interlaced = 0) {
  return png_chunk("IHDR",
                   number_be(width) + number_be(height) + std::string{depth, color, 0, 0, interlaced});
}

/// Example `seed` with 1 (gray) or 3 channels.
inline std::string example_png(int seed, int height, int width, int channels) {
  const std::vector<std::uint8_t> bytes = picture_bytes(seed, height, width, channels);
  std::string rows;
  const auto row_bytes = static_cast<std::size_t>(width * channels);
  for (std::size_t row = 0; row < bytes.size(); row += row_bytes) {
    rows.push_back(0);  // no filter
    rows.append(bytes.begin() + static_cast<std::ptrdiff_t>(row),
                bytes.begin() + static_cast<std::ptrdiff_t>(row + row_bytes));
  }
  return kPngMagic +
         png_header(static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height), 8,
                    channels == 1 ? 0 : 2) +
         png_chunk("IDAT", zlib_compressed(rows)) + png_chunk("IEND", "");
}

/// Example `seed` with 1, 3 or 4 (CMYK) channels.
inline std::string example_jpeg(int seed, int height, int width, int channels, bool progressive = false) {
  jpeg_compress_struct info{};
  jpeg_error_mgr manager{};
  info.err = jpeg_std_error(&manager);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = channels;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<std::uint8_t> bytes = picture_bytes(seed, height, width, channels);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = bytes.data() + info.next_scanline * static_cast<std::size_t>(width * channels);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  const std::string result(reinterpret_cast<const char*>(memory), size);
  jpeg_destroy_compress(&info);
  std::free(memory);
  return result;
}

}  // namespace cnn_tests
