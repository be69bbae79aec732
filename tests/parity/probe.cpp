// Runs a generated network on weights and batches from a file, and writes what came out: the other side of parity_test.py.
//   NAME_probe INPUT.safetensors OUTPUT.safetensors
// Input: a tensor for each of the model's, images [steps, batch, C, H, W], labels [steps, batch].
// Output: logits of the first batch, each gradient of the first step ("gradient.NAME"), the statistics after it
// ("after.NAME"), and the losses of one Adam step a batch.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "cnn/training/optimizer.hpp"
#include "formats/safetensors.hpp"
#include PROBE_HEADER

namespace {

struct Named {
  std::string name;
  std::vector<std::int64_t> extents;
  std::vector<float> values;
};

std::vector<std::int64_t> extents_of(const cnn::TensorDescription& tensor) {
  return {tensor.extents.begin(), tensor.extents.begin() + tensor.rank};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  models::PROBE_CLASS network(2);
  const cnn::ModelDescription& model = network.description();
  const cnn::formats::SafetensorsFile file(argv[1]);
  const auto values = [&](const std::string& name) { return file.tensor(name).values; };
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    std::ranges::copy(values(std::string(model.tensors[i].name)), network.tensor(static_cast<int>(i)).begin());
  }
  const auto images = values("images");
  const auto label_values = values("labels");
  const std::size_t pixels = static_cast<std::size_t>(model.input[0]) * model.input[1] * model.input[2];
  const std::size_t steps = values("steps").size();  // one element a step
  const std::size_t batch = label_values.size() / steps;

  std::vector<Named> results;
  std::vector<float> losses;
  cnn::Optimizer optimizer(model, network.optimizer_state());
  optimizer.begin_phase(0);
  for (std::size_t step = 0; step < steps; ++step) {
    std::vector<int> labels;
    for (std::size_t i = 0; i < batch; ++i) labels.push_back(static_cast<int>(label_values[step * batch + i]));
    losses.push_back(network.train_step(0, images.subspan(step * batch * pixels, batch * pixels), labels, {1, step}, optimizer));
    if (step > 0) continue;
    const auto scores = network.scores();
    results.push_back({"logits", {static_cast<std::int64_t>(batch), model.outputs}, {scores.begin(), scores.end()}});
    for (const cnn::LearningTensor& learning : model.training.phases[0].learning) {
      const cnn::TensorDescription& tensor = model.tensors[static_cast<std::size_t>(learning.tensor)];
      const auto gradient = network.gradients().subspan(learning.gradient_offset, tensor.count);
      results.push_back({"gradient." + std::string(tensor.name), extents_of(tensor), {gradient.begin(), gradient.end()}});
    }
    for (std::size_t i = 0; i < model.tensors.size(); ++i) {
      if (!model.tensors[i].statistic) continue;
      const auto after = network.tensor(static_cast<int>(i));
      results.push_back({"after." + std::string(model.tensors[i].name), extents_of(model.tensors[i]), {after.begin(), after.end()}});
    }
  }
  results.push_back({"losses", {static_cast<std::int64_t>(losses.size())}, losses});
  std::vector<cnn::formats::TensorView> views;
  for (const Named& result : results) views.push_back({result.name, result.extents, result.values});
  cnn::formats::write_safetensors(argv[2], {}, views);
  return 0;
}
