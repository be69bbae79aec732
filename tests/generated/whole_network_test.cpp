// What holds for every generated network: gradients by central differences, the same bits on any number of threads, no
// allocation in a step, frozen layers untouched.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <random>

#include "allocation_counter.hpp"
#include "branches.hpp"
#include "cnn/training/initialize.hpp"
#include "cnn/training/optimizer.hpp"
#include "lenet5.hpp"
#include "mlp.hpp"
#include "residual.hpp"

namespace {

struct NetworkCase {
  const char* name;
  std::function<std::unique_ptr<cnn::Network>(int threads)> make;
};

std::ostream& operator<<(std::ostream& stream, const NetworkCase& each) { return stream << each.name; }

template <class Model>
std::unique_ptr<cnn::Network> make(int threads) {
  return std::make_unique<Model>(threads);
}

struct Batch {
  std::vector<float> images;
  std::vector<int> labels;
};

Batch random_batch(const cnn::ModelDescription& model, int images, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Batch batch;
  batch.images.resize(static_cast<std::size_t>(images) * model.input[0] * model.input[1] * model.input[2]);
  for (float& pixel : batch.images) pixel = normal(random);
  for (int i = 0; i < images; ++i) batch.labels.push_back(static_cast<int>(random() % model.outputs));
  return batch;
}

class WholeNetwork : public testing::TestWithParam<NetworkCase> {};

// The loss along a random direction in one tensor's weights, by central differences, against the gradient's projection.
TEST_P(WholeNetwork, GradientsAreThoseOfTheLoss) {
  const auto network = GetParam().make(2);
  const cnn::ModelDescription& model = network->description();
  cnn::initialize(*network, 3);
  const Batch batch = random_batch(model, 37, 5);  // the last block of images is short
  cnn::Optimizer optimizer(model, network->optimizer_state());
  optimizer.begin_phase(0);
  optimizer.set_learning_rate(0);
  const auto loss = [&] {
    network->train_step(0, batch.images, batch.labels, {7, 1}, optimizer);
    double sum = 0;
    for (const float each : network->losses()) sum += each;
    return sum / static_cast<double>(batch.labels.size());
  };
  loss();
  const std::vector<float> gradients(network->gradients().begin(), network->gradients().end());
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  for (const cnn::LearningTensor& learning : model.training.phases[0].learning) {
    const cnn::TensorDescription& tensor = model.tensors[static_cast<std::size_t>(learning.tensor)];
    const float* gradient = gradients.data() + learning.gradient_offset;
    const cnn::Floats weights = network->tensor(learning.tensor);
    const std::vector<float> before(weights.begin(), weights.end());
    // Half along the gradient, half at random: the derivative is then far above the noise of float losses.
    double norm = 0;
    for (std::size_t i = 0; i < tensor.count; ++i) norm += static_cast<double>(gradient[i]) * gradient[i];
    ASSERT_GT(norm, 0) << tensor.name << " has no gradient at all";
    std::vector<double> direction(tensor.count);
    double length = 0;
    for (std::size_t i = 0; i < tensor.count; ++i) {
      direction[i] = gradient[i] / std::sqrt(norm) + normal(random) / std::sqrt(static_cast<double>(tensor.count));
      length += direction[i] * direction[i];
    }
    double expected = 0;
    const double step = 2e-3;
    const auto move = [&](double distance) {
      for (std::size_t i = 0; i < tensor.count; ++i) {
        weights[i] = before[i] + static_cast<float>(distance * direction[i] / std::sqrt(length));
      }
      return loss();
    };
    for (std::size_t i = 0; i < tensor.count; ++i) expected += gradient[i] * direction[i] / std::sqrt(length);
    const double measured = (move(step) - move(-step)) / (2 * step);
    std::copy(before.begin(), before.end(), weights.begin());
    EXPECT_NEAR(measured, expected, 0.02 * std::abs(expected) + 2e-4) << tensor.name;
  }
}

TEST_P(WholeNetwork, HasTheSameBitsOnAnyNumberOfThreads) {
  const auto train = [&](int threads) {
    const auto network = GetParam().make(threads);
    const cnn::ModelDescription& model = network->description();
    cnn::initialize(*network, 3);
    cnn::Optimizer optimizer(model, network->optimizer_state());
    for (int phase = 0; phase < static_cast<int>(model.training.phases.size()); ++phase) {
      optimizer.begin_phase(phase);
      for (unsigned step = 0; step < 4; ++step) {
        const Batch batch = random_batch(model, step == 3 ? 37 : 128, 20 + step);
        network->train_step(phase, batch.images, batch.labels, {9, step}, optimizer);
      }
    }
    return std::vector<float>(network->parameters().begin(), network->parameters().end());
  };
  const std::vector<float> one = train(1);
  for (const int threads : {2, 4}) {
    const std::vector<float> several = train(threads);
    EXPECT_EQ(std::memcmp(one.data(), several.data(), one.size() * sizeof(float)), 0) << threads << " threads";
  }
}

TEST_P(WholeNetwork, ScoresEachImageAlikeOnAnyNumberOfThreadsAndWhateverElseIsInTheBatch) {
  const auto scores = [&](int threads, int images) {
    const auto network = GetParam().make(threads);
    const cnn::ModelDescription& model = network->description();
    cnn::initialize(*network, 3);
    const Batch batch = random_batch(model, 128, 6);
    const auto floats = static_cast<std::size_t>(images) * network->image_floats();
    const cnn::ConstFloats some = cnn::ConstFloats(batch.images).first(floats);
    const cnn::ConstFloats found = network->predict(some, images);
    std::vector<float> all(found.begin(), found.begin() + 37 * model.outputs);
    network->evaluate(some, cnn::Labels(batch.labels).first(static_cast<std::size_t>(images)));
    all.insert(all.end(), network->losses().begin(), network->losses().begin() + 37);
    return all;
  };
  const std::vector<float> one = scores(1, 128);
  for (const int threads : {1, 2, 4}) EXPECT_EQ(scores(threads, 128), one) << threads << " threads";
  const std::vector<float> few = scores(2, 37);
  for (std::size_t i = 0; i < one.size(); ++i) ASSERT_NEAR(few[i], one[i], 1e-5f * std::max(1.0f, std::abs(one[i])));
}

TEST_P(WholeNetwork, PredictsTheSameWhereItOnlyPredicts) {
  const auto network = GetParam().make(2), alone = GetParam().make(2);
  cnn::initialize(*network, 3);
  cnn::initialize(*alone, 3);
  alone->only_predict();
  const Batch batch = random_batch(network->description(), 2, 6);
  const cnn::ConstFloats images = cnn::ConstFloats(batch.images).first(2 * network->image_floats());
  const cnn::ConstFloats expected = network->predict(images, 2);
  for (int times = 0; times < 2; ++times) {
    const cnn::ConstFloats found = alone->predict(images, 2);
    EXPECT_EQ(std::vector<float>(found.begin(), found.end()), std::vector<float>(expected.begin(), expected.end()));
  }
  EXPECT_THROW(alone->tensor(0), std::logic_error);
  EXPECT_THROW(static_cast<const cnn::Network&>(*alone).parameters(), std::logic_error);
  EXPECT_THROW(alone->evaluate(images, cnn::Labels(batch.labels).first(2)), std::logic_error);
}

TEST_P(WholeNetwork, AllocatesNothingInAStep) {
  const auto network = GetParam().make(2);
  const cnn::ModelDescription& model = network->description();
  cnn::initialize(*network, 3);
  cnn::Optimizer optimizer(model, network->optimizer_state());
  optimizer.begin_phase(0);
  const Batch whole = random_batch(model, model.batch, 1), part = random_batch(model, 37, 2);
  network->train_step(0, whole.images, whole.labels, {1, 0}, optimizer);
  const long before = allocation_count();
  for (std::uint64_t step = 1; step < 10; ++step) {
    const Batch& batch = step == 5 ? part : whole;
    network->train_step(0, batch.images, batch.labels, {1, step}, optimizer);
  }
  EXPECT_EQ(allocation_count(), before);
}

TEST_P(WholeNetwork, LeavesFrozenTensorsAsTheyAre) {
  const auto network = GetParam().make(2);
  const cnn::ModelDescription& model = network->description();
  cnn::initialize(*network, 3);
  cnn::Optimizer optimizer(model, network->optimizer_state());
  for (std::size_t phase = 0; phase < model.training.phases.size(); ++phase) {
    optimizer.begin_phase(static_cast<int>(phase));
    const std::vector<float> before(network->parameters().begin(), network->parameters().end());
    const Batch batch = random_batch(model, 64, 4);
    network->train_step(static_cast<int>(phase), batch.images, batch.labels, {1, phase}, optimizer);
    std::vector<bool> learns(model.tensors.size(), false);
    for (const cnn::LearningTensor& learning : model.training.phases[phase].learning) learns[static_cast<std::size_t>(learning.tensor)] = true;
    for (std::size_t i = 0; i < model.tensors.size(); ++i) {
      const cnn::TensorDescription& tensor = model.tensors[i];
      if (tensor.statistic) continue;
      const bool same = std::memcmp(before.data() + tensor.offset, network->parameters().data() + tensor.offset, tensor.count * sizeof(float)) == 0;
      EXPECT_EQ(same, !learns[i]) << tensor.name << " in phase " << model.training.phases[phase].name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, WholeNetwork,
                         testing::Values(NetworkCase{"lenet5", make<models::LeNet5>}, NetworkCase{"mlp", make<models::MLP>},
                                         NetworkCase{"residual", make<models::Residual>},
                                         NetworkCase{"branches", make<models::Branches>}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
