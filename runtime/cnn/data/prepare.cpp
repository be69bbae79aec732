// Transforms in the order of the spec; normalisation as one table for each channel, in PyTorch's order of
// operations.
#include "cnn/data/prepare.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "cnn/core/random.hpp"
#include "cnn/data/streams.hpp"
#include "cnn/data/transforms.hpp"

namespace cnn {
namespace {

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

Preparation::Preparation(std::span<const TransformDescription> transforms, const ImageShape& input)
    : levels_(static_cast<std::size_t>(input[0])) {
  for (auto& channel : levels_)
    for (std::size_t byte = 0; byte < channel.size(); ++byte)
      channel[byte] = static_cast<float>(byte) / 255.0f;
  bool normalized = false;
  for (const TransformDescription& transform : transforms) {
    if (transform.kind == TransformKind::kNormalize) {
      add_normalization(levels_, transform);
      normalized = true;
      continue;
    }
    if (normalized)
      throw std::invalid_argument("normalize stands before another transform in prepare; it goes last");
    transforms_.push_back(transform);
  }
}

ImageShape Preparation::shape_after(ImageShape shape) const {
  for (const TransformDescription& transform : transforms_) shape = transformed_shape(transform, shape);
  return shape;
}

void Preparation::apply(Workspace& workspace) const {
  constexpr Draw kNothingDrawn{};
  for (const TransformDescription& transform : transforms_)
    apply_transform(transform, kNothingDrawn, workspace);
}

void Preparation::normalize(std::span<const std::uint8_t> from, Floats to) const {
  const std::size_t pixels = from.size() / levels_.size();
  for (std::size_t channel = 0; channel < levels_.size(); ++channel) {
    const float* level = levels_[channel].data();
    const std::uint8_t* bytes = from.data() + channel * pixels;
    float* values = to.data() + channel * pixels;
    for (std::size_t i = 0; i < pixels; ++i) values[i] = level[bytes[i]];
  }
}

void Augmentation::apply(const AugmentKey& key, Workspace& workspace) const {
  std::uint32_t stream = kAugmentStream;
  for (const TransformDescription& transform : transforms_)
    apply_transform(transform, random_words({key.seed, key.epoch}, stream++, key.image), workspace);
}

}  // namespace cnn
