// An image's bytes on the way from a file to the network, and the memory that its transforms work in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cnn/data/resize.hpp"

namespace cnn {

/// Channels, height, width.
using ImageShape = std::array<int, 3>;

/// Bytes of an image of a shape.
constexpr std::size_t image_bytes(const ImageShape& shape) {
  return static_cast<std::size_t>(shape[0]) * static_cast<std::size_t>(shape[1]) *
         static_cast<std::size_t>(shape[2]);
}

/// [channels][height][width] bytes.
struct Image {
  ImageShape shape{};
  std::vector<std::uint8_t> bytes;

  int channels() const { return shape[0]; }
  int height() const { return shape[1]; }
  int width() const { return shape[2]; }
  /// Bytes of a channel.
  std::size_t plane() const {
    return static_cast<std::size_t>(shape[1]) * static_cast<std::size_t>(shape[2]);
  }
  /// What the bytes are after it is open.
  void reshape(const ImageShape& to) {
    shape = to;
    bytes.resize(image_bytes(to));
  }
  void assign(const ImageShape& to, std::span<const std::uint8_t> from) {
    shape = to;
    bytes.assign(from.begin(), from.end());
  }
};

/// One thread's memory: the image that transforms change in turn. It grows to what images need and stays.
struct Workspace {
  Image image;
  Image other;  // what a transform writes before the two change places
  std::vector<std::uint8_t> scratch;
  std::optional<Resize> resize;  // the last one: images of a data set are often of one size
};

}  // namespace cnn
