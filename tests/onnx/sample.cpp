// A generated network with random weights, random images and what it predicts for them, as one file: what
// onnx_test.py holds an exported model against.
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

constexpr int kBatch = 2, kMostRounds = 12;

std::vector<std::int64_t> extents_of(const cnn::TensorDescription& tensor) {
  return {tensor.extents.begin(), tensor.extents.begin() + tensor.rank};
}

// Weights that keep signals at their size (He et al. 2015, eq. 10), and statistics that change what passes.
void fill(cnn::Floats values, const cnn::TensorDescription& tensor, float factor_mean, std::mt19937& random) {
  std::size_t fan_in = 1;
  for (int i = 1; i < tensor.rank; ++i)
    fan_in *= static_cast<std::size_t>(tensor.extents[static_cast<std::size_t>(i)]);
  std::normal_distribution<float> normal(0,
                                         tensor.rank > 1 ? std::sqrt(2 / static_cast<float>(fan_in)) : 0.1f);
  const bool weight = tensor.rank == 1 && tensor.name.ends_with("weight");
  const bool variance = tensor.rank == 1 && tensor.name.ends_with("running_var");
  const float mean = weight ? factor_mean : 1;
  std::uniform_real_distribution<float> around(0.5f * mean, 1.5f * mean);
  for (float& value : values) value = weight || variance ? around(random) : normal(random);
}

// Noise on a colour and a slope of each image's own, so that images differ by more than noise does.
void paint(cnn::Floats images, const cnn::ModelDescription& model, float contrast) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal(0, 1);
  const auto width = static_cast<std::size_t>(model.input[2]);
  const std::size_t plane = static_cast<std::size_t>(model.input[1]) * width;
  for (std::size_t first = 0; first < images.size(); first += plane) {
    const float level = 2 * contrast * normal(random);
    const float slope = 4 * contrast * normal(random) / static_cast<float>(width);
    for (std::size_t i = 0; i < plane; ++i)
      images[first + i] = level + slope * static_cast<float>(i % width) + 0.5f * normal(random);
  }
}

// Probabilities of 0 and 1 would hide what went before: the last layer with weights is scaled down until none
// is near. How often that took.
int soften(cnn::Network& network, cnn::ConstFloats images) {
  const auto tensors = network.description().tensors;
  const auto last =
      std::find_if(tensors.rbegin(), tensors.rend(), [](const auto& tensor) { return tensor.rank > 1; });
  const auto index = static_cast<int>(tensors.rend() - last) - 1;
  int rounds = 0;
  while (rounds<kMostRounds&& * std::ranges::max_element(network.predict(images, kBatch))> 0.9f) {
    for (float& value : network.tensor(index)) value *= 0.7f;
    ++rounds;
  }
  return rounds;
}

// The largest difference relative to the largest number.
float apart(cnn::ConstFloats one, cnn::ConstFloats other) {
  float difference = 0, largest = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    difference = std::max(difference, std::abs(one[i] - other[i]));
    largest = std::max({largest, std::abs(one[i]), std::abs(other[i])});
  }
  return difference / largest;
}

// Whether the outputs tell of the image, and don't magnify what little changes in it, as roundings do.
bool tells(cnn::Network& network, const std::vector<float>& images) {
  constexpr float kChange = 1e-4f;
  const cnn::ConstFloats view = network.predict(images, kBatch);
  const std::vector<float> scores(view.begin(), view.end());
  const auto outputs = static_cast<std::size_t>(network.outputs());
  const cnn::ConstFloats both = scores;
  std::vector<float> changed = images;
  for (std::size_t i = 0; i < changed.size(); ++i) changed[i] *= i % 2 == 0 ? 1 + kChange : 1 - kChange;
  const float variation = apart(both.first(outputs), both.subspan(outputs));
  return variation > 0.01f && apart(both, network.predict(changed, kBatch)) < 5 * kChange;
}

// Statistics are not those of the images, so that signals grow or fade from layer to layer: the factors of bn
// and the images' contrast are made smaller until the outputs serve.
void choose(cnn::Network& network, std::vector<float>& images) {
  const auto tensors = network.description().tensors;
  for (const float contrast : {1.0f, 0.3f, 0.0f}) {
    paint(images, network.description(), contrast);
    for (const float factor : {1.0f, 0.8f, 0.65f, 0.5f, 0.4f}) {
      std::mt19937 random(7);
      for (std::size_t i = 0; i < tensors.size(); ++i)
        fill(network.tensor(static_cast<int>(i)), tensors[i], factor, random);
      if (soften(network, images) < kMostRounds && tells(network, images)) return;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  models::SAMPLE_CLASS network(2);
  const cnn::ModelDescription& model = network.description();
  std::vector<float> images(kBatch * network.image_floats());
  choose(network, images);
  const cnn::ConstFloats scores = network.predict(images, kBatch);

  std::vector<cnn::formats::TensorView> tensors;
  for (std::size_t i = 0; i < model.tensors.size(); ++i)
    tensors.push_back({std::string(model.tensors[i].name), extents_of(model.tensors[i]),
                       network.tensor(static_cast<int>(i))});
  tensors.push_back({"images", {kBatch, model.input[0], model.input[1], model.input[2]}, images});
  tensors.push_back({"predictions", {kBatch, model.outputs}, scores});
  cnn::formats::write_safetensors(argv[1], {}, tensors);
  return 0;
}
