// LeNet-5's criterion against equation 9 as it is printed, in penalties.
#include "cnn/ops/lenet5_map.hpp"

#include <cmath>

#include "losses.hpp"

namespace cnn::tests {

namespace {

constexpr float kJ = 0.75f;

double equation_9(const Doubles& scores, int label) {
  double sum = std::exp(-static_cast<double>(kJ));
  for (const double score : scores) sum += std::exp(score);
  const double penalty = -scores[static_cast<std::size_t>(label)];
  return penalty + std::log(sum);
}

}  // namespace

TEST(Lenet5Map, EqualsTheDefinition) {
  check_loss([](Blocked d_scores, Floats losses, ConstBlocked scores, Labels labels, const MapGeometry& g,
                const LossBatch& batch) { lenet5_map(d_scores, losses, scores, labels, kJ, g, batch); },
             [](Floats losses, ConstBlocked scores, Labels labels, const MapGeometry& g, const LossBatch& batch) {
               lenet5_map_loss(losses, scores, labels, kJ, g, batch);
             },
             equation_9);
}

// Distances to codes of 84 numbers go into the hundreds, where e^-distance is 0 in float and in double.
TEST(Lenet5Map, FarFromEveryCodeTheRubbishClassTakesAll) {
  const MapGeometry g{.channels = 2, .block = 1};
  const Map scores(g, 1, Doubles{-2000, -900});
  Map gradient(g, 1);
  std::vector<float> losses = unwritten(1);
  const std::vector<int> labels = {0};
  on_team([&] { lenet5_map(gradient, losses, scores, labels, 3, g, 1); });
  EXPECT_FLOAT_EQ(losses[0], 2000 - 3);
  EXPECT_EQ(gradient.values(), (Doubles{-1, 0}));
}

}  // namespace cnn::tests
