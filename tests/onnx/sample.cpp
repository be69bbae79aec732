// A generated network with random weights, random images and what it predicts for them, as one file: what onnx_test.py
// holds an exported model against.
//   NAME_sample OUTPUT.safetensors
// Output: a tensor for each of the model's, "images" [batch, C, H, W], "predictions" [batch, outputs].
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "formats/safetensors.hpp"
#include SAMPLE_HEADER

namespace {

constexpr int kBatch = 2;

std::vector<std::int64_t> extents_of(const cnn::TensorDescription& tensor) {
  return {tensor.extents.begin(), tensor.extents.begin() + tensor.rank};
}

// Weights that keep signals at their size (He et al. 2015, eq. 10), and statistics that change what passes.
void fill(cnn::Floats values, const cnn::TensorDescription& tensor, std::mt19937& random) {
  std::size_t fan_in = 1;
  for (int i = 1; i < tensor.rank; ++i) fan_in *= static_cast<std::size_t>(tensor.extents[static_cast<std::size_t>(i)]);
  std::normal_distribution<float> normal(0, tensor.rank > 1 ? std::sqrt(2 / static_cast<float>(fan_in)) : 0.1f);
  std::uniform_real_distribution<float> around_one(0.5f, 1.5f);
  const bool factor = tensor.rank == 1 && (tensor.name.ends_with("weight") || tensor.name.ends_with("running_var"));
  for (float& value : values) value = factor ? around_one(random) : normal(random);
}

// Probabilities of 0 and 1 would hide what went before: the last layer with weights is scaled down until none is near.
void soften(cnn::Network& network, cnn::ConstFloats images) {
  const auto tensors = network.description().tensors;
  const auto last = std::find_if(tensors.rbegin(), tensors.rend(), [](const auto& tensor) { return tensor.rank > 1; });
  if (last == tensors.rend()) return;
  const auto index = static_cast<int>(tensors.rend() - last) - 1;
  for (int round = 0; round < 40; ++round) {
    const cnn::ConstFloats scores = network.predict(images, kBatch);
    if (*std::ranges::max_element(scores) < 0.9f) return;
    for (float& value : network.tensor(index)) value *= 0.7f;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  models::SAMPLE_CLASS network(2);
  const cnn::ModelDescription& model = network.description();
  std::mt19937 random(7);
  for (std::size_t i = 0; i < model.tensors.size(); ++i) fill(network.tensor(static_cast<int>(i)), model.tensors[i], random);
  std::vector<float> images(kBatch * network.image_floats());
  std::normal_distribution<float> pixel(0, 1);
  for (float& value : images) value = pixel(random);
  soften(network, images);
  const cnn::ConstFloats scores = network.predict(images, kBatch);

  std::vector<cnn::formats::TensorView> tensors;
  for (std::size_t i = 0; i < model.tensors.size(); ++i)
    tensors.push_back({std::string(model.tensors[i].name), extents_of(model.tensors[i]), network.tensor(static_cast<int>(i))});
  tensors.push_back({"images", {kBatch, model.input[0], model.input[1], model.input[2]}, images});
  tensors.push_back({"predictions", {kBatch, model.outputs}, scores});
  cnn::formats::write_safetensors(argv[1], {}, tensors);
  return 0;
}
