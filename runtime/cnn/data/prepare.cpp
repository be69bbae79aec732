// Resizing in the order of the spec; normalisation as one table for each channel, in PyTorch's order of
// operations.
#include "cnn/data/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace cnn {
namespace {

std::size_t plane(int height, int width) {
  return static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
}

void add_normalization(std::vector<std::array<float, 256>>& levels, const TransformDescription& transform) {
  if (transform.mean.size() != levels.size() || transform.std_deviation.size() != levels.size())
    throw std::invalid_argument(fmt::format(
        "normalize has {} means and {} deviations, but the images have {} channel{}", transform.mean.size(),
        transform.std_deviation.size(), levels.size(), levels.size() == 1 ? "" : "s"));
  for (std::size_t channel = 0; channel < levels.size(); ++channel)
    for (float& level : levels[channel])
      level = (level - transform.mean[channel]) / transform.std_deviation[channel];
}

}  // namespace

Preparation::Preparation(std::span<const TransformDescription> transforms, const std::array<int, 3>& shape)
    : shape_before_(shape), shape_(shape), levels_(static_cast<std::size_t>(shape[0])) {
  for (auto& channel : levels_)
    for (std::size_t byte = 0; byte < channel.size(); ++byte)
      channel[byte] = static_cast<float>(byte) / 255.0f;
  bytes_before_ = static_cast<std::size_t>(shape[0]) * plane(shape[1], shape[2]);
  bool normalized = false;
  for (const TransformDescription& transform : transforms) {
    if (transform.kind == TransformKind::kNormalize) {
      add_normalization(levels_, transform);
      normalized = true;
      continue;
    }
    if (normalized)
      throw std::invalid_argument(
          "resize stands after normalize in prepare; it works on bytes, so it goes first");
    if (shape_[1] == transform.height && shape_[2] == transform.width) continue;
    resizes_.push_back({Resize(shape_[1], shape_[2], transform.height, transform.width),
                        plane(shape_[1], shape_[2]), plane(transform.height, transform.width)});
    shape_[1] = transform.height;
    shape_[2] = transform.width;
  }
  bytes_after_ = static_cast<std::size_t>(shape_[0]) * plane(shape_[1], shape_[2]);
}

std::size_t Preparation::scratch_bytes() const {
  // One pass's intermediate rows, and two planes for what goes from one resize to the next.
  std::size_t rows = 0, between = 0;
  for (const Step& step : resizes_) {
    rows = std::max(rows, step.resize.scratch_bytes());
    between = std::max(between, step.plane_after);
  }
  return rows + (resizes_.size() > 1 ? 2 * between : 0);
}

void Preparation::resize(std::span<const std::uint8_t> from, std::span<std::uint8_t> to,
                         std::span<std::uint8_t> scratch) const {
  if (resizes_.empty()) {
    std::copy(from.begin(), from.end(), to.begin());
    return;
  }
  std::size_t between = 0;
  for (const Step& step : resizes_) between = std::max(between, step.plane_after);
  const std::span<std::uint8_t> planes[2] = {scratch.last(2 * between * (resizes_.size() > 1)),
                                             scratch.last(between * (resizes_.size() > 1))};
  for (int channel = 0; channel < shape_[0]; ++channel) {
    const auto index = static_cast<std::size_t>(channel);
    std::span<const std::uint8_t> source =
        from.subspan(index * resizes_.front().plane_before, resizes_.front().plane_before);
    for (std::size_t i = 0; i < resizes_.size(); ++i) {
      const Step& step = resizes_[i];
      const bool is_last = i + 1 == resizes_.size();
      const auto target = is_last ? to.subspan(index * step.plane_after, step.plane_after)
                                  : planes[i % 2].first(step.plane_after);
      step.resize.apply(source, target, scratch);
      source = target;
    }
  }
}

void Preparation::normalize(std::span<const std::uint8_t> from, Floats to) const {
  const std::size_t pixels = plane(shape_[1], shape_[2]);
  for (std::size_t channel = 0; channel < levels_.size(); ++channel) {
    const float* level = levels_[channel].data();
    const std::uint8_t* bytes = from.data() + channel * pixels;
    float* values = to.data() + channel * pixels;
    for (std::size_t i = 0; i < pixels; ++i) values[i] = level[bytes[i]];
  }
}

}  // namespace cnn
