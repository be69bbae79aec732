// Loads a foreign weights file into a generated network, evaluates a batch and takes one training step on it: our side of
// torchvision_test.py.
//   NAME_torchvision_probe WEIGHTS BATCH.safetensors OUTPUT.safetensors
// Weights are matched in order. Batch: "images" [batch, C, H, W], "labels" [batch]. Output: "scores" [batch, classes] of the
// evaluation, and of the step "loss", "gradient.NAME" and "after.NAME" for each gradient and running statistic.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cnn/program/weights_file.hpp"
#include "cnn/training/optimizer.hpp"
#include "formats/safetensors.hpp"
#include PROBE_HEADER

namespace {

using cnn::formats::TensorView;

std::vector<std::int64_t> extents_of(const cnn::TensorDescription& tensor) {
  return {tensor.extents.begin(), tensor.extents.begin() + tensor.rank};
}

void run(char** argv) {
  models::PROBE_CLASS network(2);
  const cnn::ModelDescription& model = network.description();
  cnn::program::load_weights(argv[1], network, cnn::formats::MatchBy::kOrder);
  const cnn::formats::SafetensorsFile batch(argv[2]);
  const auto images = batch.tensor("images").values;
  std::vector<int> labels;
  for (const float label : batch.tensor("labels").values) labels.push_back(static_cast<int>(label));
  const auto count = static_cast<std::int64_t>(labels.size());

  network.evaluate(images, labels);
  const std::vector<float> scores(network.scores().begin(), network.scores().end());
  cnn::Optimizer optimizer(model, network.optimizer_state());
  optimizer.begin_phase(0);
  const std::vector<float> loss = {network.train_step(0, images, labels, {1, 0}, optimizer)};

  std::vector<TensorView> results = {{"scores", {count, model.outputs}, scores}, {"loss", {1}, loss}};
  for (const cnn::LearningTensor& learning : model.training.phases[0].learning) {
    const cnn::TensorDescription& tensor = model.tensors[static_cast<std::size_t>(learning.tensor)];
    results.push_back({"gradient." + std::string(tensor.name), extents_of(tensor),
                       network.gradients().subspan(learning.gradient_offset, tensor.count)});
  }
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    if (!model.tensors[i].statistic) continue;
    results.push_back({"after." + std::string(model.tensors[i].name), extents_of(model.tensors[i]),
                       network.tensor(static_cast<int>(i))});
  }
  cnn::formats::write_safetensors(argv[3], {}, results);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  try {
    run(argv);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
