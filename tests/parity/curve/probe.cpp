// Trains a generated network on given batches in a given order, from given weights: our side of curve_test.py.
//   curve_probe INPUT.safetensors OUTPUT.safetensors
// The last epoch is the second phase's. Input: a tensor for each of the model's; images [count, C, H, W], labels [count]; order [epochs, count], places of images;
// test_images, test_labels. Output: losses [steps], correct [1], of the test images.
#include <algorithm>
#include <vector>

#include "cifar_curve.hpp"
#include "cnn/training/optimizer.hpp"
#include "formats/safetensors.hpp"

namespace {

constexpr int kBatch = 50;

int correct(cnn::Network& network, std::span<const float> images, std::span<const float> labels) {
  const std::size_t pixels = network.image_floats(), outputs = static_cast<std::size_t>(network.outputs());
  int count = 0;
  for (std::size_t first = 0; first < labels.size(); first += kBatch) {
    const std::size_t batch = std::min<std::size_t>(kBatch, labels.size() - first);
    const auto scores = network.predict(images.subspan(first * pixels, batch * pixels), static_cast<int>(batch));
    for (std::size_t i = 0; i < batch; ++i) {
      const auto row = scores.subspan(i * outputs, outputs);
      count += std::ranges::max_element(row) - row.begin() == static_cast<std::ptrdiff_t>(labels[first + i]) ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  models::Small network(2);
  const cnn::ModelDescription& model = network.description();
  const cnn::formats::SafetensorsFile file(argv[1]);
  const auto values = [&](std::string_view name) { return file.tensor(name).values; };
  for (std::size_t i = 0; i < model.tensors.size(); ++i)
    std::ranges::copy(values(model.tensors[i].name), network.tensor(static_cast<int>(i)).begin());

  const auto images = values("images"), label_values = values("labels"), order = values("order");
  const std::size_t pixels = network.image_floats();
  cnn::Optimizer optimizer(model, network.optimizer_state());
  optimizer.begin_phase(0);
  std::vector<float> losses, batch_images(kBatch * pixels);
  std::vector<int> labels(kBatch);
  int phase = 0;
  for (std::size_t first = 0; first + kBatch <= order.size(); first += kBatch) {
    if (phase == 0 && first + label_values.size() >= order.size()) optimizer.begin_phase(++phase);
    for (std::size_t i = 0; i < kBatch; ++i) {
      const auto place = static_cast<std::size_t>(order[first + i]);
      std::ranges::copy(images.subspan(place * pixels, pixels), batch_images.begin() + static_cast<std::ptrdiff_t>(i * pixels));
      labels[i] = static_cast<int>(label_values[place]);
    }
    losses.push_back(network.train_step(phase, batch_images, labels, {1, losses.size()}, optimizer));
  }
  const std::vector<float> right = {static_cast<float>(correct(network, values("test_images"), values("test_labels")))};
  cnn::formats::write_safetensors(argv[2], {},
                                  std::vector<cnn::formats::TensorView>{
                                      {"losses", {static_cast<std::int64_t>(losses.size())}, losses}, {"correct", {1}, right}});
  return 0;
}
