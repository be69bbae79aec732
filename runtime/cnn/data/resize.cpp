// Weights of both axes, and the two passes.
#include "cnn/data/resize.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace cnn {
namespace {

constexpr int kFractionBits =
    32 - 8 - 2;  // of a weight: 8 bits are the pixel's, 2 keep sums from overflowing

std::uint8_t round_pixel(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

double triangle(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

}  // namespace

Resize::Axis Resize::make_axis(int from, int to) {
  if (from < 1 || to < 1)
    throw std::invalid_argument("an image can't be resized from or to a side of 0 pixels");
  Axis axis{.from = from, .to = to, .taps = {}, .weights = {}};
  const double scale = static_cast<double>(from) / to;
  const double support = std::max(scale, 1.0);  // half the filter's width, in old pixels
  std::vector<double> weights;
  for (int place = 0; place < to; ++place) {
    const double center = (place + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int end = std::min(static_cast<int>(center + support + 0.5), from);
    weights.clear();
    double sum = 0;
    for (int x = first; x < end; ++x) {
      weights.push_back(triangle((x - center + 0.5) * (1.0 / support)));
      sum += weights.back();
    }
    axis.taps.push_back({first, end - first, axis.weights.size()});
    for (const double weight : weights) {
      const double normalized = sum == 0.0 ? weight : weight / sum;
      axis.weights.push_back(static_cast<std::int32_t>(0.5 + normalized * (1 << kFractionBits)));
    }
  }
  return axis;
}

Resize::Resize(int from_height, int from_width, int to_height, int to_width)
    : vertical_(make_axis(from_height, to_height)), horizontal_(make_axis(from_width, to_width)) {}

std::size_t Resize::scratch_bytes() const {
  return static_cast<std::size_t>(vertical_.from) * static_cast<std::size_t>(horizontal_.to);
}

void Resize::resize_rows(const std::uint8_t* from, std::uint8_t* to) const {
  for (int y = 0; y < vertical_.from; ++y, from += horizontal_.from) {
    for (const Taps& taps : horizontal_.taps) {
      const std::int32_t* weights = horizontal_.weights.data() + taps.weights;
      std::int32_t sum = 1 << (kFractionBits - 1);
      for (int i = 0; i < taps.count; ++i) sum += from[taps.first + i] * weights[i];
      *to++ = round_pixel(sum);
    }
  }
}

void Resize::resize_columns(const std::uint8_t* from, std::uint8_t* to) const {
  constexpr int kStrip = 64;  // columns at once, so that the compiler can use vectors
  const int width = horizontal_.to;
  for (const Taps& taps : vertical_.taps) {
    const std::int32_t* weights = vertical_.weights.data() + taps.weights;
    for (int begin = 0; begin < width; begin += kStrip) {
      const int count = std::min(kStrip, width - begin);
      std::int32_t sums[kStrip];
      std::fill_n(sums, count, 1 << (kFractionBits - 1));
      for (int i = 0; i < taps.count; ++i) {
        const std::uint8_t* row = from + static_cast<std::ptrdiff_t>(taps.first + i) * width + begin;
        for (int x = 0; x < count; ++x) sums[x] += row[x] * weights[i];
      }
      for (int x = 0; x < count; ++x) to[begin + x] = round_pixel(sums[x]);
    }
    to += width;
  }
}

void Resize::apply(std::span<const std::uint8_t> from, std::span<std::uint8_t> to,
                   std::span<std::uint8_t> scratch) const {
  // A side that stays as it is has one whole weight a pixel (the others are zero), so its pass copies.
  resize_rows(from.data(), scratch.data());
  resize_columns(scratch.data(), to.data());
}

}  // namespace cnn
