// Which transform calls what, and what random ones draw.
#include "cnn/data/transforms.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>
#include <utility>

namespace cnn {
namespace {

/// In [0, 1).
double uniform(std::uint32_t word) {
  return word * 0x1p-32;
}
double uniform(std::uint32_t word, double least, double most) {
  return least + (most - least) * uniform(word);
}
/// In [0, count).
int whole(std::uint32_t word, int count) {
  return static_cast<int>(std::uint64_t{word} * static_cast<std::uint64_t>(count) >> 32);
}

/// A distance of at most `fraction` of `side`, in whole pixels.
int distance(std::uint32_t word, double fraction, int side) {
  return static_cast<int>(std::nearbyint(uniform(word, -fraction, fraction) * side));
}

void require_room(const char* name, const ImageShape& shape, const TransformDescription& transform,
                  int margin) {
  if (transform.height <= shape[1] + 2 * margin && transform.width <= shape[2] + 2 * margin) return;
  throw std::invalid_argument(
      fmt::format("{} takes {}x{} out of an image of {}x{}; a resize before it makes room", name,
                  transform.height, transform.width, shape[1], shape[2]));
}

ImageShape shape_of(const TransformDescription& transform, const ImageShape& shape) {
  const auto [channels, height, width] = shape;
  switch (transform.kind) {
    case TransformKind::kResize:
      return {channels, transform.height, transform.width};
    case TransformKind::kResizeShort: {
      const auto [to_height, to_width] = short_side_size(height, width, transform.amount);
      return {channels, to_height, to_width};
    }
    case TransformKind::kCenterCrop:
      require_room("center_crop", shape, transform, 0);
      return {channels, transform.height, transform.width};
    case TransformKind::kRandomCrop:
      require_room("random_crop", shape, transform, transform.amount);
      return {channels, transform.height, transform.width};
    case TransformKind::kPad:
      return {channels, height + 2 * transform.amount, width + 2 * transform.amount};
    case TransformKind::kGrayscale:
      return {1, height, width};
    case TransformKind::kRgb:
      return {3, height, width};
    default:
      return shape;
  }
}

/// One that writes to workspace.other.
template <class Make, class... Arguments>
void replace(Workspace& workspace, Make&& make, Arguments... arguments) {
  make(std::as_const(workspace.image), workspace.other, arguments...);
  std::swap(workspace.image, workspace.other);
}

void apply_random(const TransformDescription& transform, const Draw& draw, Workspace& workspace) {
  const auto [channels, height, width] = workspace.image.shape;
  const double strength = transform.strength;
  switch (transform.kind) {
    case TransformKind::kRandomCrop: {
      require_room("random_crop", workspace.image.shape, transform, transform.amount);
      const int margin = transform.amount;
      replace(workspace, cut_out, whole(draw[0], height + 2 * margin - transform.height + 1) - margin,
              whole(draw[1], width + 2 * margin - transform.width + 1) - margin, transform.height,
              transform.width);
      return;
    }
    case TransformKind::kRotate:
      return replace(workspace, rotate, uniform(draw[0], -strength, strength));
    case TransformKind::kShift:
      return replace(workspace, cut_out, distance(draw[0], strength, height),
                     distance(draw[1], strength, width), height, width);
    case TransformKind::kZoom:
      return replace(workspace, zoom, uniform(draw[0], 1 - strength, 1 + strength));
    case TransformKind::kHflip:
      if (uniform(draw[0]) < strength) replace(workspace, flip_horizontally);
      return;
    case TransformKind::kVflip:
      if (uniform(draw[0]) < strength) replace(workspace, flip_vertically);
      return;
    case TransformKind::kBrightness:
      return scale_brightness(workspace.image, uniform(draw[0], 1 - strength, 1 + strength));
    case TransformKind::kContrast:
      return scale_contrast(workspace.image, uniform(draw[0], 1 - strength, 1 + strength));
    default:
      throw std::logic_error("a transform that does not work on bytes");
  }
}

}  // namespace

ImageShape transformed_shape(const TransformDescription& transform, const ImageShape& shape) {
  // A narrow picture whose short side grows would take any amount of memory.
  constexpr std::int64_t kMostPixels = 100'000'000;
  const ImageShape to = shape_of(transform, shape);
  if (std::int64_t{to[1]} * to[2] > kMostPixels)
    throw std::invalid_argument(
        fmt::format("an image of {}x{} would become {}x{}, and {} million pixels are the most", shape[1],
                    shape[2], to[1], to[2], kMostPixels / 1'000'000));
  return to;
}

void apply_transform(const TransformDescription& transform, const Draw& draw, Workspace& workspace) {
  const ImageShape to = transformed_shape(transform, workspace.image.shape);
  switch (transform.kind) {
    case TransformKind::kResize:
    case TransformKind::kResizeShort:
      return resize(workspace, to[1], to[2]);
    case TransformKind::kCenterCrop: {
      const auto [top, left] = center_place(workspace.image.height(), workspace.image.width(), to[1], to[2]);
      return replace(workspace, cut_out, top, left, to[1], to[2]);
    }
    case TransformKind::kPad:
      return replace(workspace, cut_out, -transform.amount, -transform.amount, to[1], to[2]);
    case TransformKind::kGrayscale:
      if (workspace.image.channels() != 1) replace(workspace, to_gray);
      return;
    case TransformKind::kRgb:
      if (workspace.image.channels() != 3) replace(workspace, to_rgb);
      return;
    default:
      return apply_random(transform, draw, workspace);
  }
}

}  // namespace cnn
