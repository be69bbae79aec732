// Optimizers against sequences worked out by hand, and against torch.optim where Python has torch.
#include "cnn/training/optimizer.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include "cnn/core/team.hpp"

namespace {

using cnn::Algorithm;
using cnn::OptimizerDescription;

/// A model of two tensors; its tables live as long as it does.
struct Model {
  std::vector<cnn::TensorDescription> tensors;
  std::vector<std::vector<cnn::LearningTensor>> learning;
  std::vector<cnn::PhaseDescription> phases;
  cnn::ModelDescription description;

  Model(std::size_t first, std::size_t second) {
    tensors = {{.name = "a", .extents = {}, .rank = 1, .offset = 0, .count = first},
               {.name = "b", .extents = {}, .rank = 1, .offset = first, .count = second}};
  }

  void add_phase(std::optional<OptimizerDescription> optimizer, std::vector<int> names) {
    std::size_t gradients = 0;
    auto& table = learning.emplace_back();
    for (const int tensor : names) {
      table.push_back({tensor, gradients});
      gradients += tensors[static_cast<std::size_t>(tensor)].count;
    }
    cnn::PhaseDescription phase{
        .name = "p", .epochs = 1, .has_optimizer = optimizer.has_value(), .optimizer = {}, .learning = {}};
    if (optimizer) phase.optimizer = *optimizer;
    phases.push_back(phase);
    for (std::size_t i = 0; i < phases.size(); ++i) phases[i].learning = learning[i];
    description.tensors = tensors;
    description.training.phases = phases;
  }

  std::size_t floats() const { return tensors[0].count + tensors[1].count; }
};

/// Gradients that depend on step and place, with signs and zeros.
std::vector<float> gradient(std::size_t count, int step) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = i % 7 == 3 ? 0.0f : std::sin(0.37f * static_cast<float>(i) + 1.3f * static_cast<float>(step));
  return values;
}

std::vector<float> begin_values(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = std::cos(0.11f * static_cast<float>(i));
  return values;
}

std::vector<float> train(const OptimizerDescription& optimizer, std::size_t first, std::size_t second,
                         int steps, int threads) {
  Model model(first, second);
  model.add_phase(optimizer, {0, 1});
  std::vector<float> state(cnn::Optimizer::state_floats(model.description), 0.0f);
  cnn::Optimizer tested(model.description, state);
  tested.begin_phase(0);
  std::vector<float> values = begin_values(model.floats());
  for (int step = 0; step < steps; ++step) {
    const std::vector<float> gradients = gradient(model.floats(), step);
    cnn::run_team(threads, [&] { tested.update(values, gradients); });
  }
  return values;
}

/// Two steps of one weight 1 with gradients 0.5 and -0.25.
std::array<float, 2> two_steps(const OptimizerDescription& optimizer) {
  Model model(1, 1);
  model.add_phase(optimizer, {0});
  std::vector<float> state(cnn::Optimizer::state_floats(model.description), 0.0f);
  cnn::Optimizer tested(model.description, state);
  tested.begin_phase(0);
  std::vector<float> values = {1.0f, 5.0f};
  std::array<float, 2> after{};
  const float gradients[] = {0.5f, -0.25f};
  for (std::size_t step = 0; step < 2; ++step) {
    tested.update(values, {&gradients[step], 1});
    after[step] = values[0];
  }
  EXPECT_EQ(values[1], 5.0f) << "a tensor that does not learn has moved";
  EXPECT_EQ(tested.steps(), (std::vector<std::int64_t>{2, 0}));
  return after;
}

TEST(Optimizer, PlainSgdWithDecay) {
  const auto after = two_steps({.algorithm = Algorithm::kSgd, .learning_rate = 0.1, .weight_decay = 0.2});
  EXPECT_FLOAT_EQ(after[0], 0.93f);  // 1 - 0.1 (0.5 + 0.2)
  EXPECT_FLOAT_EQ(after[1], 0.93f - 0.1f * (-0.25f + 0.186f));
}

TEST(Optimizer, MomentumBeginsWithTheGradientItself) {
  const auto after = two_steps({.algorithm = Algorithm::kSgd, .learning_rate = 0.1, .momentum = 0.9});
  EXPECT_FLOAT_EQ(after[0], 0.95f);  // buffer 0.5
  EXPECT_FLOAT_EQ(after[1], 0.93f);  // buffer 0.45 - 0.25 = 0.2
}

TEST(Optimizer, NesterovLooksAhead) {
  const auto after =
      two_steps({.algorithm = Algorithm::kSgd, .learning_rate = 0.1, .momentum = 0.9, .nesterov = true});
  EXPECT_FLOAT_EQ(after[0], 0.905f);  // 0.5 + 0.9 * 0.5 = 0.95
  EXPECT_FLOAT_EQ(after[1], 0.905f - 0.1f * (-0.25f + 0.9f * 0.2f));
}

TEST(Optimizer, AdamsFirstStepIsTheLearningRate) {
  const auto after = two_steps({.algorithm = Algorithm::kAdam, .learning_rate = 0.1});
  EXPECT_FLOAT_EQ(after[0], 0.9f);
  // m = 0.09*0.5 - 0.1*0.25 = 0.02 over 0.19; v = 0.999*0.00025 + 0.0000625 over 0.001999
  const double first = 0.02 / 0.19, second = (0.999 * 0.00025 + 0.0000625) / 0.001999;
  EXPECT_NEAR(after[1], 0.9 - 0.1 * first / std::sqrt(second), 1e-6);
}

TEST(Optimizer, AdamwTakesDecayOffTheWeightItself) {
  const auto after = two_steps({.algorithm = Algorithm::kAdamw, .learning_rate = 0.1, .weight_decay = 0.5});
  EXPECT_FLOAT_EQ(after[0], 0.95f - 0.1f);
}

TEST(Optimizer, RmspropDividesByTheRootOfTheMeanOfSquares) {
  const auto after =
      two_steps({.algorithm = Algorithm::kRmsprop, .learning_rate = 0.01, .epsilon = 0, .smoothing = 0.75});
  EXPECT_FLOAT_EQ(after[0], 0.98f);  // the mean of squares is 0.25 * 0.25, its root half the gradient
  EXPECT_NEAR(after[1], 0.98 + 0.01 * 0.25 / std::sqrt(0.75 * 0.0625 + 0.25 * 0.0625), 1e-6);
}

TEST(Optimizer, RmspropWithMomentumKeepsTwoMoments) {
  const auto after = two_steps({.algorithm = Algorithm::kRmsprop,
                                .learning_rate = 0.01,
                                .momentum = 0.5,
                                .epsilon = 0,
                                .smoothing = 0.75});
  EXPECT_FLOAT_EQ(after[0], 0.98f);              // moves by 2
  EXPECT_FLOAT_EQ(after[1], 0.98f - 0.01f * 0);  // 0.5 * 2 - 0.25 / 0.25
}

TEST(Optimizer, CarriedOverMomentsStayAndThawedTensorsBeginAnew) {
  Model model(3, 2);
  model.add_phase(OptimizerDescription{.algorithm = Algorithm::kAdam, .learning_rate = 0.1}, {1});
  model.add_phase(std::nullopt, {0, 1});
  model.add_phase(std::nullopt, {1});
  model.add_phase(std::nullopt, {0, 1});
  model.add_phase(OptimizerDescription{.algorithm = Algorithm::kAdam, .learning_rate = 0.5}, {0, 1});
  std::vector<float> state(cnn::Optimizer::state_floats(model.description), 0.0f);
  ASSERT_EQ(state.size(), 10u);
  cnn::Optimizer optimizer(model.description, state);
  std::vector<float> values(5, 1.0f);
  const std::vector<float> gradients(5, 0.5f);
  const auto run_phase = [&](int phase, int steps) {
    optimizer.begin_phase(phase);
    for (int i = 0; i < steps; ++i) optimizer.update(values, gradients);
  };
  run_phase(0, 3);
  EXPECT_EQ(optimizer.steps(), (std::vector<std::int64_t>{0, 3}));
  const float kept_moment = state[3];
  EXPECT_NE(kept_moment, 0.0f);
  EXPECT_EQ(values[0], 1.0f);
  optimizer.begin_phase(1);
  EXPECT_EQ(state[3], kept_moment);
  EXPECT_EQ(optimizer.learning_rate(), 0.1);
  run_phase(1, 2);
  EXPECT_EQ(optimizer.steps(), (std::vector<std::int64_t>{2, 5}));
  run_phase(2, 1);
  run_phase(3, 0);
  EXPECT_EQ(optimizer.steps(), (std::vector<std::int64_t>{0, 6}));
  EXPECT_EQ(state[0], 0.0f);
  EXPECT_NE(state[3], 0.0f);
  run_phase(4, 0);
  EXPECT_EQ(optimizer.steps(), (std::vector<std::int64_t>{0, 0}));
  EXPECT_EQ(state, std::vector<float>(10, 0.0f));
  EXPECT_EQ(optimizer.learning_rate(), 0.5);
}

TEST(Optimizer, SameBitsOnAnyNumberOfThreads) {
  const OptimizerDescription adam{.algorithm = Algorithm::kAdam, .learning_rate = 0.01};
  const auto one = train(adam, 50001, 33, 5, 1);  // four tiles and a small one
  EXPECT_EQ(one, train(adam, 50001, 33, 5, 2));
  EXPECT_EQ(one, train(adam, 50001, 33, 5, 4));
  EXPECT_NE(one, begin_values(50034));
}

TEST(Optimizer, RefusesTooLittleState) {
  Model model(4, 4);
  model.add_phase(OptimizerDescription{.algorithm = Algorithm::kAdam}, {0, 1});
  std::vector<float> state(15);
  EXPECT_THROW(cnn::Optimizer(model.description, state), std::invalid_argument);
}

struct TorchCase {
  const char* constructor;  // of torch.optim
  OptimizerDescription optimizer;
};

const TorchCase kTorchCases[] = {
    {"SGD([values], lr=0.05)", {.algorithm = Algorithm::kSgd, .learning_rate = 0.05}},
    {"SGD([values], lr=0.05, momentum=0.9, weight_decay=0.1)",
     {.algorithm = Algorithm::kSgd, .learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.1}},
    {"SGD([values], lr=0.05, momentum=0.9, nesterov=True)",
     {.algorithm = Algorithm::kSgd, .learning_rate = 0.05, .momentum = 0.9, .nesterov = true}},
    {"Adam([values], lr=0.01)", {.algorithm = Algorithm::kAdam, .learning_rate = 0.01}},
    {"Adam([values], lr=0.01, weight_decay=0.1, betas=(0.8, 0.99), eps=1e-6)",
     {.algorithm = Algorithm::kAdam,
      .learning_rate = 0.01,
      .weight_decay = 0.1,
      .beta1 = 0.8,
      .beta2 = 0.99,
      .epsilon = 1e-6}},
    {"AdamW([values], lr=0.01, weight_decay=0.1)",
     {.algorithm = Algorithm::kAdamw, .learning_rate = 0.01, .weight_decay = 0.1}},
    {"RMSprop([values], lr=0.01)", {.algorithm = Algorithm::kRmsprop, .learning_rate = 0.01}},
    {"RMSprop([values], lr=0.01, alpha=0.9, eps=1e-4, weight_decay=0.1, momentum=0.8)",
     {.algorithm = Algorithm::kRmsprop,
      .learning_rate = 0.01,
      .momentum = 0.8,
      .weight_decay = 0.1,
      .epsilon = 1e-4,
      .smoothing = 0.9}}};
constexpr std::size_t kTorchFloats = 40;
constexpr int kTorchSteps = 20;
constexpr int kNoTorch = 77;

std::string python_list(const std::vector<float>& values) {
  std::ostringstream text;
  text << std::hexfloat << "[";
  for (const float value : values) text << "float.fromhex('" << value << "'),";
  text << "]";
  return text.str();
}

/// A Python program that prints the values after all steps, a line a case.
std::string torch_script() {
  std::string text =
      "import sys\ntry:\n  import torch\nexcept ImportError:\n  sys.exit(" + std::to_string(kNoTorch) + ")\n";
  text += "begin = " + python_list(begin_values(kTorchFloats)) + "\ngradients = [";
  for (int step = 0; step < kTorchSteps; ++step) text += python_list(gradient(kTorchFloats, step)) + ",";
  text +=
      "]\ndef run(make):\n  values = torch.tensor(begin, requires_grad=True)\n  optimizer = make(values)\n"
      "  for gradient in gradients:\n    values.grad = torch.tensor(gradient)\n    optimizer.step()\n"
      "  print(' '.join(float(v).hex() for v in values.detach()))\n";
  for (const TorchCase& one : kTorchCases)
    text += std::string("run(lambda values: torch.optim.") + one.constructor + ")\n";
  return text;
}

TEST(Optimizer, TwentyStepsAgainstTorch) {
  // -I: whatever else lies in the folder of temporary files is no module of the script's.
  const std::string script = testing::TempDir() + "optimizer_against_torch.py";
  std::ofstream(script) << torch_script();
  FILE* pipe = popen(("/usr/bin/python3 -I " + script).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  for (int letter = std::fgetc(pipe); letter != EOF; letter = std::fgetc(pipe))
    output += static_cast<char>(letter);
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == kNoTorch || WEXITSTATUS(status) == 127)
    GTEST_SKIP() << "/usr/bin/python3 has no torch (Debian: python3-torch)";
  ASSERT_EQ(WEXITSTATUS(status), 0);
  std::istringstream words(output);
  std::string word;
  for (const TorchCase& one : kTorchCases) {
    const std::vector<float> ours = train(one.optimizer, kTorchFloats - 7, 7, kTorchSteps, 1);
    for (std::size_t i = 0; i < kTorchFloats; ++i) {
      ASSERT_TRUE(words >> word) << output;
      EXPECT_NEAR(ours[i], std::strtod(word.c_str(), nullptr), 2e-6) << one.constructor << ", place " << i;
    }
  }
}

}  // namespace
