// Transforms pixel by pixel, in Pillow's order of operations. Compiled without fused multiplications, which
// would round otherwise than Pillow does.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>

#include "cnn/data/transforms.hpp"

namespace cnn {
namespace {

/// Where a pixel of the new image comes from: x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5.
using AffineMap = std::array<double, 6>;

/// One channel's value at (y, x), truncated: pixels beyond an edge equal those of the edge.
std::uint8_t bilinear(const std::uint8_t* plane, int height, int width, double y, double x) {
  x -= 0.5;
  y -= 0.5;
  const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
  const double dx = x - left, dy = y - top;
  const int x0 = std::clamp(left, 0, width - 1), x1 = std::clamp(left + 1, 0, width - 1);
  const auto in_row = [&](int row) {
    const std::uint8_t* pixels = plane + static_cast<std::ptrdiff_t>(row) * width;
    return pixels[x0] + (pixels[x1] - pixels[x0]) * dx;
  };
  const double upper = in_row(std::clamp(top, 0, height - 1));
  const double lower = top + 1 >= 0 && top + 1 < height ? in_row(top + 1) : upper;
  return static_cast<std::uint8_t>(upper + (lower - upper) * dy);
}

void warp(const Image& from, Image& to, const AffineMap& m) {
  to.reshape(from.shape);
  const int height = from.height(), width = from.width();
  std::size_t place = 0;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x, ++place) {
      const double center_x = x + 0.5, center_y = y + 0.5;
      const double from_x = m[0] * center_x + m[1] * center_y + m[2];
      const double from_y = m[3] * center_x + m[4] * center_y + m[5];
      const bool inside = from_x >= 0 && from_x < width && from_y >= 0 && from_y < height;
      for (std::size_t plane = 0; plane < from.bytes.size(); plane += from.plane())
        to.bytes[plane + place] =
            inside ? bilinear(from.bytes.data() + plane, height, width, from_y, from_x) : std::uint8_t{0};
    }
}

/// To 15 decimals, as Python's round() does it, so that right angles are exact.
double rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.15f", value);
  return std::strtod(text, nullptr);
}

/// As Pillow's blend(): from `level` towards `byte` and beyond.
std::uint8_t blended(int level, int byte, float factor) {
  const float value = static_cast<float>(level) + factor * static_cast<float>(byte - level);
  return static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

void blend(Image& image, int level, double factor) {
  std::array<std::uint8_t, 256> levels;
  for (int byte = 0; byte < 256; ++byte)
    levels[static_cast<std::size_t>(byte)] = blended(level, byte, static_cast<float>(factor));
  for (std::uint8_t& byte : image.bytes) byte = levels[byte];
}

std::uint8_t gray_of(std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
  return static_cast<std::uint8_t>((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
}

}  // namespace

void to_gray(const Image& from, Image& to) {
  to.reshape({1, from.height(), from.width()});
  if (from.channels() == 1) {
    to.bytes = from.bytes;
    return;
  }
  const std::size_t plane = from.plane();
  const std::uint8_t* red = from.bytes.data();
  for (std::size_t i = 0; i < plane; ++i) to.bytes[i] = gray_of(red[i], red[plane + i], red[2 * plane + i]);
}

void to_rgb(const Image& from, Image& to) {
  to.reshape({3, from.height(), from.width()});
  const std::size_t step = from.channels() == 1 ? 0 : from.plane();
  for (std::size_t channel = 0; channel < 3; ++channel)
    std::copy_n(from.bytes.data() + channel * step, from.plane(), to.bytes.data() + channel * from.plane());
}

void resize(Workspace& workspace, int height, int width) {
  Image &from = workspace.image, &to = workspace.other;
  if (from.height() == height && from.width() == width) return;
  if (!workspace.resize || !workspace.resize->is_for(from.height(), from.width(), height, width))
    workspace.resize.emplace(from.height(), from.width(), height, width);
  workspace.scratch.resize(workspace.resize->scratch_bytes());
  to.reshape({from.channels(), height, width});
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(from.channels()); ++channel)
    workspace.resize->apply(std::span(from.bytes).subspan(channel * from.plane(), from.plane()),
                            std::span(to.bytes).subspan(channel * to.plane(), to.plane()), workspace.scratch);
  std::swap(from, to);
}

std::array<int, 2> short_side_size(int height, int width, int side) {
  const auto longer = [&](int of_short, int of_long) {
    constexpr double kMost = 1e9;  // far beyond what is ever made; an int holds it
    return static_cast<int>(std::min(static_cast<double>(std::int64_t{side} * of_long) / of_short, kMost));
  };
  if (width <= height) return {longer(width, height), side};
  return {side, longer(height, width)};
}

void cut_out(const Image& from, Image& to, int top, int left, int height, int width) {
  to.shape = {from.channels(), height, width};
  to.bytes.assign(image_bytes(to.shape), 0);
  const int first_row = std::max(top, 0), end_row = std::min(top + height, from.height());
  const int first = std::max(left, 0), end = std::min(left + width, from.width());
  if (first >= end) return;
  for (int channel = 0; channel < from.channels(); ++channel)
    for (int row = first_row; row < end_row; ++row) {
      const std::ptrdiff_t source = std::ptrdiff_t{channel} * from.height() + row;
      const std::ptrdiff_t target = std::ptrdiff_t{channel} * height + row - top;
      std::copy_n(from.bytes.begin() + source * from.width() + first, end - first,
                  to.bytes.begin() + target * width + first - left);
    }
}

std::array<int, 2> center_place(int height, int width, int crop_height, int crop_width) {
  return {static_cast<int>(std::nearbyint((height - crop_height) / 2.0)),
          static_cast<int>(std::nearbyint((width - crop_width) / 2.0))};
}

void flip_horizontally(const Image& from, Image& to) {
  to.reshape(from.shape);
  const auto width = static_cast<std::size_t>(from.width());
  for (std::size_t row = 0; row < from.bytes.size(); row += width)
    std::reverse_copy(from.bytes.data() + row, from.bytes.data() + row + width, to.bytes.data() + row);
}

void flip_vertically(const Image& from, Image& to) {
  to.reshape(from.shape);
  const std::ptrdiff_t width = from.width(), height = from.height();
  for (std::ptrdiff_t channel = 0; channel < from.channels(); ++channel)
    for (std::ptrdiff_t row = 0; row < height; ++row)
      std::copy_n(from.bytes.begin() + (channel * height + row) * width, width,
                  to.bytes.begin() + (channel * height + height - 1 - row) * width);
}

void rotate(const Image& from, Image& to, double degrees) {
  // Angles are taken between 0 and 360, as Pillow does before it computes with them.
  double angle = std::fmod(degrees, 360);
  if (angle < 0) angle += 360;
  angle *= -(std::numbers::pi / 180);
  const double cosine = rounded(std::cos(angle)), sine = rounded(std::sin(angle));
  const double center_x = from.width() / 2.0, center_y = from.height() / 2.0;
  const double back_x = cosine * -center_x + sine * -center_y,
               back_y = -sine * -center_x + cosine * -center_y;
  warp(from, to, {cosine, sine, back_x + center_x, -sine, cosine, back_y + center_y});
}

void zoom(const Image& from, Image& to, double factor) {
  const double center_x = from.width() / 2.0, center_y = from.height() / 2.0;
  warp(from, to, {1 / factor, 0, center_x - center_x / factor, 0, 1 / factor, center_y - center_y / factor});
}

void scale_brightness(Image& image, double factor) {
  blend(image, 0, factor);
}

void scale_contrast(Image& image, double factor) {
  const std::size_t plane = image.plane();
  const bool gray = image.channels() == 1;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < plane; ++i)
    sum +=
        gray ? image.bytes[i] : gray_of(image.bytes[i], image.bytes[plane + i], image.bytes[2 * plane + i]);
  const int mean = static_cast<int>(static_cast<double>(sum) / static_cast<double>(plane) + 0.5);
  blend(image, mean, factor);
}

}  // namespace cnn
