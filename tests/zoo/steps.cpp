// A generated network learns one batch: from its own initial values, ten steps lower the loss, every number
// stays finite, and the process takes the memory that the plan says.
//   NAME_steps
#include <cmath>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "cnn/training/initialize.hpp"
#include "cnn/training/optimizer.hpp"
#include STEPS_HEADER

namespace {

constexpr int kSteps = 10;
constexpr double kMebi = 1 << 20;

// The process's peak, VmHWM, in MiB.
double peak() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

bool all_finite(cnn::ConstFloats values) {
  for (const float value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

}  // namespace

int main() {
  const double before = peak();
  models::STEPS_CLASS network(2);
  const cnn::ModelDescription& model = network.description();
  cnn::initialize(network, 1);
  const std::vector<float> begun(network.parameters().begin(), network.parameters().end());
  std::mt19937 random(3);
  std::normal_distribution<float> pixel;
  std::vector<float> images(static_cast<std::size_t>(model.batch) * network.image_floats());
  for (float& value : images) value = pixel(random);
  std::vector<int> labels;
  for (int i = 0; i < model.batch; ++i)
    labels.push_back(static_cast<int>(random() % static_cast<unsigned>(model.outputs)));
  cnn::Optimizer optimizer(model, network.optimizer_state());
  optimizer.begin_phase(0);
  std::vector<float> losses;
  for (std::uint64_t step = 0; step < kSteps; ++step)
    losses.push_back(network.train_step(0, images, labels, {1, step}, optimizer));

  int still = 0;
  for (const cnn::LearningTensor& learning : model.training.phases[0].learning) {
    const cnn::TensorDescription& tensor = model.tensors[static_cast<std::size_t>(learning.tensor)];
    const auto now = network.parameters().subspan(tensor.offset, tensor.count);
    if (std::equal(now.begin(), now.end(), begun.begin() + static_cast<std::ptrdiff_t>(tensor.offset))) {
      std::printf("%.*s has not learned\n", static_cast<int>(tensor.name.size()), tensor.name.data());
      ++still;
    }
  }
  const double planned = static_cast<double>(network.arena_bytes()) / kMebi;
  const double own = static_cast<double>((begun.size() + images.size()) * sizeof(float)) / kMebi;
  const double taken = peak() - before;
  std::printf("loss %.4f to %.4f; planned %.1f MiB, taken %.1f MiB\n", static_cast<double>(losses.front()),
              static_cast<double>(losses.back()), planned, taken - own);
  // 40 MiB: libraries, threads, and OpenBLAS' buffers.
  const bool memory = taken - own <= 1.05 * planned + 40;
  const bool well = all_finite(losses) && all_finite(network.parameters()) && losses.back() < losses.front();
  return well && memory && still == 0 ? 0 : 1;
}
