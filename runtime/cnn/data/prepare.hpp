// What a spec's `prepare` and `augment` do to an image: transforms of its bytes, then bytes to the floats
// that the network sees.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cnn/core/types.hpp"
#include "cnn/data/image.hpp"
#include "cnn/network/description.hpp"

namespace cnn {

/// `prepare`, for images of any size.
class Preparation {
 public:
  /// `input` is the shape that the network takes. Throws std::invalid_argument, worded for the user, where
  /// the transforms can't be.
  Preparation(std::span<const TransformDescription> transforms, const ImageShape& input);

  /// Whether bytes change at all.
  bool changes_bytes() const { return !transforms_.empty(); }
  /// What becomes of an image of a shape. Throws std::invalid_argument, worded for the user, where a
  /// transform can't be applied.
  ImageShape shape_after(ImageShape shape) const;
  /// Replaces workspace.image by what the transforms make of its bytes; throws as above.
  void apply(Workspace& workspace) const;
  /// A prepared image as floats: each byte divided by 255, then less the mean, over the deviation of its
  /// channel.
  void normalize(std::span<const std::uint8_t> from, Floats to) const;

 private:
  std::vector<TransformDescription> transforms_;  // without those that normalize
  std::vector<std::array<float, 256>> levels_;    // by channel: what becomes of a byte
};

/// Names what an epoch does to one image: same seed, epoch and image, same changes.
struct AugmentKey {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
  std::uint32_t image = 0;  // its place in all of the data
};

/// `augment`: works on prepared bytes, before they are normalised.
class Augmentation {
 public:
  explicit Augmentation(std::span<const TransformDescription> transforms)
      : transforms_(transforms.begin(), transforms.end()) {}

  bool empty() const { return transforms_.empty(); }
  /// Replaces workspace.image, transform by transform in the written order.
  void apply(const AugmentKey& key, Workspace& workspace) const;

 private:
  std::vector<TransformDescription> transforms_;
};

}  // namespace cnn
