// Images and labels that look like data, for what is timed.
#pragma once

#include <random>
#include <vector>

#include "cnn/network/network.hpp"

namespace cnn::program {

/// A batch of normal values, with labels of every class.
struct Synthetic {
  std::vector<float> images;
  std::vector<int> labels;
  std::size_t image_floats;

  Synthetic(const ModelDescription& model, int batch)
      : image_floats(static_cast<std::size_t>(model.input[0]) * static_cast<std::size_t>(model.input[1]) *
                     static_cast<std::size_t>(model.input[2])) {
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal;
    images.resize(static_cast<std::size_t>(batch) * image_floats);
    for (float& pixel : images) pixel = normal(random);
    for (int i = 0; i < batch; ++i) labels.push_back(i % model.outputs);
  }

  /// The first `count` of them.
  ConstFloats images_of(int count) const {
    return ConstFloats(images).first(static_cast<std::size_t>(count) * image_floats);
  }
  Labels labels_of(int count) const { return Labels(labels).first(static_cast<std::size_t>(count)); }
};

}  // namespace cnn::program
