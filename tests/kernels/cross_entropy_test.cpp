// Cross-entropy against the definition.
#include "cnn/ops/cross_entropy.hpp"

#include <cmath>

#include "losses.hpp"

namespace cnn::tests {

TEST(CrossEntropy, EqualsTheDefinition) {
  constexpr LossAndGradient kBoth = softmax_cross_entropy;
  constexpr LossAlone kAlone = cross_entropy_loss;
  check_loss(kBoth, kAlone, [](const Doubles& logits, int label) {
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit);
    return std::log(sum) - logits[static_cast<std::size_t>(label)];
  });
}

TEST(CrossEntropy, LargeLogitsDoNotOverflow) {
  const MapGeometry g{.channels = 2};
  const Map x(g, 1, {5000, -5000});
  Map gradient(g, 1);
  std::vector<float> losses(1);
  const std::vector<int> labels = {1};
  softmax_cross_entropy(gradient, losses, x, labels, g, 1);
  EXPECT_EQ(losses[0], 10000);
  EXPECT_EQ(gradient.values(), (Doubles{1, -1}));
}

TEST(CrossEntropy, AnAuxiliaryHeadAddsItsWeightedShare) {
  const MapGeometry g{.channels = 3};
  const Map x(g, 1, {1, 2, -1});
  Map gradient(g, 1), weighted(g, 1);
  std::vector<float> losses(1), sum = {10};
  const std::vector<int> labels = {2};
  softmax_cross_entropy(gradient, losses, x, labels, g, 1);
  add_softmax_cross_entropy(weighted, sum, x, labels, 0.25f, g, 1);
  EXPECT_FLOAT_EQ(sum[0], 10 + 0.25f * losses[0]);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_FLOAT_EQ(weighted.values()[i], 0.25f * gradient.values()[i]);
  EXPECT_NE(gradient.values()[0], 0);
}

// Losses of a batch of flat images by PyTorch's formula; class_weights has one number a class.
Doubles target_losses(const Doubles& logits, const std::vector<int>& labels, const Doubles& class_weights,
                      double smoothing) {
  const std::size_t classes = class_weights.size();
  double weights = 0;
  for (const int label : labels) weights += class_weights[static_cast<std::size_t>(label)];
  Doubles losses(labels.size());
  for (std::size_t image = 0; image < labels.size(); ++image) {
    double sum = 0;
    for (std::size_t i = 0; i < classes; ++i) sum += std::exp(logits[image * classes + i]);
    for (std::size_t i = 0; i < classes; ++i) {
      const double log = logits[image * classes + i] - std::log(sum);
      const double own = i == static_cast<std::size_t>(labels[image]) ? 1 - smoothing : 0;
      losses[image] -= (own + smoothing / static_cast<double>(classes)) * class_weights[i] * log;
    }
    losses[image] *= static_cast<double>(labels.size()) / weights;
  }
  return losses;
}

TEST(CrossEntropy, TargetsEqualTheDefinition) {
  for (const bool weighted : {false, true}) {
    for (const float smoothing : {0.0f, 0.1f}) {
      for (const Batching& batching : kBatchings) {
        const MapGeometry g{.channels = 7, .block = batching.block};
        const auto batch = static_cast<std::size_t>(batching.batch);
        Numbers numbers(60);
        const Doubles logits = numbers.uniform(7 * batch, -3, 3);
        const std::vector<int> labels = numbers.labels(batching.batch, 7);
        const Doubles class_weights = weighted ? numbers.uniform(7, 0.25, 4) : Doubles(7, 1);
        const std::vector<float> weights = floats(class_weights);
        const CrossEntropyTargets targets{weighted ? ConstFloats(weights) : ConstFloats(), smoothing};
        const Map x(g, batching.batch, logits);
        Map gradient(g, batching.batch), added(g, batching.batch);
        std::vector<float> losses = unwritten(batch), alone = unwritten(batch), sums(batch, 1);
        on_team([&] {
          softmax_cross_entropy(gradient, losses, x, labels, targets, g, batching.batch);
          cross_entropy_loss(alone, x, labels, targets, g, batching.batch);
          add_softmax_cross_entropy(added, sums, x, labels, targets, 0.5f, g, batching.batch);
        });
        ASSERT_TRUE(gradient.surroundings_intact());
        const auto expected = [&](const Doubles& at) {
          return target_losses(at, labels, class_weights, static_cast<double>(smoothing));
        };
        expect_close(doubles(losses), expected(logits), 1e-6, "losses");
        ASSERT_EQ(losses, alone);
        expect_gradient(expected, logits, Doubles(batch, 1.0 / batching.batch), gradient.values(),
                        "gradient");
        check_loss_in_parts([&](Blocked d, Floats out, ConstBlocked in, Labels of, const MapGeometry& map, const LossBatch& part) {
                              softmax_cross_entropy(d, out, in, of, targets, map, part);
                            },
                            [&](Floats out, ConstBlocked in, Labels of, const MapGeometry& map, const LossBatch& part) {
                              cross_entropy_loss(out, in, of, targets, map, part);
                            },
                            g, batching.batch, logits, labels);
        for (std::size_t i = 0; i < batch; ++i) EXPECT_FLOAT_EQ(sums[i], 1 + 0.5f * losses[i]);
        EXPECT_FLOAT_EQ(static_cast<float>(added.values()[3]),
                        static_cast<float>(0.5 * gradient.values()[3]));
      }
    }
  }
}

TEST(CrossEntropy, LabelsOfWeightZeroGiveNothing) {
  const MapGeometry g{.channels = 2};
  const Map x(g, 1, {1, 2});
  Map gradient(g, 1);
  std::vector<float> losses(1);
  const std::vector<int> labels = {1};
  const std::vector<float> weights = {1, 0};
  softmax_cross_entropy(gradient, losses, x, labels, CrossEntropyTargets{weights, 0.1f}, g, 1);
  EXPECT_EQ(losses[0], 0);
  EXPECT_EQ(gradient.values(), (Doubles{0, 0}));
}

TEST(CrossEntropy, MeanLossIsOfTheBatchAlone) {
  const std::vector<float> losses = {1, 2, 6, 1000};
  EXPECT_EQ(mean_loss(losses, 3), 3);
}

}  // namespace cnn::tests
