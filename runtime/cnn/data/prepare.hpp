// What a spec's `prepare` does to an image: resizing of its bytes, then bytes to the floats that the network
// sees.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cnn/core/types.hpp"
#include "cnn/data/resize.hpp"
#include "cnn/network/description.hpp"

namespace cnn {

/// The transforms for images of one shape. Images are [channels][height][width].
class Preparation {
 public:
  /// `shape` is that of the images as they come. Throws std::invalid_argument, worded for the user, where the
  /// transforms don't suit it.
  Preparation(std::span<const TransformDescription> transforms, const std::array<int, 3>& shape);

  /// Channels, height and width before and after.
  const std::array<int, 3>& shape_before() const { return shape_before_; }
  const std::array<int, 3>& shape() const { return shape_; }
  /// Bytes before and after; floats are as many as bytes after.
  std::size_t bytes_before() const { return bytes_before_; }
  std::size_t bytes_after() const { return bytes_after_; }
  /// Whether bytes change at all.
  bool resizes() const { return !resizes_.empty(); }

  /// Bytes of scratch memory that resize() needs.
  std::size_t scratch_bytes() const;
  /// One image's bytes at its new size.
  void resize(std::span<const std::uint8_t> from, std::span<std::uint8_t> to,
              std::span<std::uint8_t> scratch) const;
  /// One resized image as floats: each byte divided by 255, then less the mean, over the deviation of its
  /// channel.
  void normalize(std::span<const std::uint8_t> from, Floats to) const;

 private:
  struct Step {
    Resize resize;
    std::size_t plane_before, plane_after;  // bytes of a channel
  };

  std::array<int, 3> shape_before_, shape_;
  std::size_t bytes_before_ = 0, bytes_after_ = 0;
  std::vector<Step> resizes_;
  std::vector<std::array<float, 256>> levels_;  // by channel: what becomes of a byte
};

}  // namespace cnn
