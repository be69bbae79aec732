// Resizing of 8-bit images as Pillow does it: bilinear, with a filter that widens when an image shrinks
// (antialiasing).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cnn {

/// From one size to another; made once, applied to many images. Results equal those of Pillow's
/// Image.resize(BILINEAR) bit for bit: a triangle filter, weights in fixed point with 22 bits, rows first,
/// then columns, rounded after each.
class Resize {
 public:
  /// Throws std::invalid_argument for sizes below 1.
  Resize(int from_height, int from_width, int to_height, int to_width);

  /// Whether it is made for these sizes.
  bool is_for(int from_height, int from_width, int to_height, int to_width) const {
    return vertical_.from == from_height && horizontal_.from == from_width && vertical_.to == to_height &&
           horizontal_.to == to_width;
  }
  /// Bytes of scratch memory that apply() needs.
  std::size_t scratch_bytes() const;
  /// One channel: `from` is [from_height][from_width], `to` [to_height][to_width].
  void apply(std::span<const std::uint8_t> from, std::span<std::uint8_t> to,
             std::span<std::uint8_t> scratch) const;

 private:
  /// Which of the old pixels make a new one, and how much of each.
  struct Taps {
    int first = 0;
    int count = 0;
    std::size_t weights = 0;  // index of the first one's
  };
  struct Axis {
    int from = 0, to = 0;
    std::vector<Taps> taps;
    std::vector<std::int32_t> weights;
  };
  static Axis make_axis(int from, int to);
  void resize_rows(const std::uint8_t* from, std::uint8_t* to) const;
  void resize_columns(const std::uint8_t* from, std::uint8_t* to) const;

  Axis vertical_, horizontal_;
};

}  // namespace cnn
