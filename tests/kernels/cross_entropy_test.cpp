// Cross-entropy against the definition.
#include "cnn/ops/cross_entropy.hpp"

#include <cmath>

#include "losses.hpp"

namespace cnn::tests {

TEST(CrossEntropy, EqualsTheDefinition) {
  check_loss(softmax_cross_entropy, cross_entropy_loss, [](const Doubles& logits, int label) {
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

TEST(CrossEntropy, MeanLossIsOfTheBatchAlone) {
  const std::vector<float> losses = {1, 2, 6, 1000};
  EXPECT_EQ(mean_loss(losses, 3), 3);
}

}  // namespace cnn::tests
