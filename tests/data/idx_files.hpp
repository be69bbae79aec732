// IDX files made for tests: headers that may lie, plain and compressed.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "temporary_folder.hpp"

namespace cnn_tests {

inline std::string big_endian(std::uint32_t number) {
  return {static_cast<char>(number >> 24), static_cast<char>(number >> 16), static_cast<char>(number >> 8),
          static_cast<char>(number)};
}

inline std::string idx_images(std::uint32_t count, std::uint32_t height, std::uint32_t width,
                              const std::string& pixels) {
  return big_endian(0x803) + big_endian(count) + big_endian(height) + big_endian(width) + pixels;
}

inline std::string idx_labels(std::uint32_t count, const std::string& labels) {
  return big_endian(0x801) + big_endian(count) + labels;
}

/// As gzip writes it.
inline std::string compressed(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib can't be set up");
  std::string output(deflateBound(&stream, bytes.size()), '\0');
  std::string input = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(output.data());
  stream.avail_out = static_cast<uInt>(output.size());
  const int status = deflate(&stream, Z_FINISH);
  output.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("zlib can't compress");
  return output;
}

/// Pixel `place` of image `image` in the example.
inline std::uint8_t example_pixel(std::uint32_t image, std::size_t place) {
  return static_cast<std::uint8_t>(image * 7 + place * 3);
}

/// `count` images of `height` x `width`, all different.
inline std::string example_pixels(std::uint32_t count, std::size_t bytes, std::uint32_t first = 0) {
  std::string pixels;
  for (std::uint32_t image = 0; image < count; ++image)
    for (std::size_t place = 0; place < bytes; ++place)
      pixels.push_back(static_cast<char>(example_pixel(first + image, place)));
  return pixels;
}

/// Labels 0 1 2 ... `classes` - 1 0 1 ...
inline std::string example_labels(std::uint32_t count, int classes) {
  std::string labels;
  for (std::uint32_t image = 0; image < count; ++image)
    labels.push_back(static_cast<char>(image % static_cast<std::uint32_t>(classes)));
  return labels;
}

/// All four files: 4x4 pixels, 3 classes, the test images going on where the training images end.
inline void write_example(const std::filesystem::path& folder, std::uint32_t train = 50,
                          std::uint32_t test = 20) {
  write_file(folder / "train-images-idx3-ubyte", idx_images(train, 4, 4, example_pixels(train, 16)));
  write_file(folder / "train-labels-idx1-ubyte", idx_labels(train, example_labels(train, 3)));
  write_file(folder / "t10k-images-idx3-ubyte.gz",
             compressed(idx_images(test, 4, 4, example_pixels(test, 16, train))));
  write_file(folder / "t10k-labels-idx1-ubyte.gz", compressed(idx_labels(test, example_labels(test, 3))));
}

}  // namespace cnn_tests
