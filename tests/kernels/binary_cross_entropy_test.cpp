// Binary cross-entropy against the definition, and at certainties.
#include "cnn/ops/binary_cross_entropy.hpp"

#include <cmath>

#include "losses.hpp"

namespace cnn::tests {

namespace {

struct BinaryRun {
  Doubles losses, gradient;

  BinaryRun(const MapGeometry& g, int batch, const Doubles& probabilities, const std::vector<int>& labels) {
    const Map p(g, batch, probabilities);
    Map d(g, batch);
    Map in_place(g, batch, probabilities);
    std::vector<float> both = unwritten(labels.size()), alone = both, again = both;
    on_team([&] {
      binary_cross_entropy(d, both, p, labels, g, batch);
      binary_cross_entropy_loss(alone, p, labels, g, batch);
      binary_cross_entropy(in_place, again, in_place, labels, g, batch);
    });
    EXPECT_TRUE(d.surroundings_intact());
    EXPECT_EQ(both, alone);
    EXPECT_EQ(both, again);
    EXPECT_EQ(d.values(), in_place.values());
    losses = doubles(both);
    gradient = d.values();
  }
};

}  // namespace

TEST(BinaryCrossEntropy, EqualsTheDefinition) {
  for (const int outputs : {1, 2, 7}) {
    for (const Batching& batching : kBatchings) {
      const MapGeometry g{.channels = outputs, .block = batching.block};
      Numbers numbers(61);
      const auto count = static_cast<std::size_t>(outputs);
      const Doubles at = numbers.uniform(count * static_cast<std::size_t>(batching.batch), 0.05, 0.95);
      const std::vector<int> labels = numbers.labels(batching.batch, std::max(outputs, 2));
      const auto expected = [&](const Doubles& probabilities) {
        Doubles losses(labels.size());
        for (std::size_t i = 0; i < probabilities.size(); ++i) {
          const auto label = static_cast<std::size_t>(labels[i / count]);
          const bool target = outputs == 1 ? label == 1 : label == i % count;
          losses[i / count] -= std::log(target ? probabilities[i] : 1 - probabilities[i]) / outputs;
        }
        return losses;
      };
      const BinaryRun run(g, batching.batch, at, labels);
      expect_close(run.losses, expected(at), 1e-6, "losses");
      expect_gradient(expected, at, Doubles(labels.size(), 1.0 / batching.batch), run.gradient, "gradient");
      check_loss_in_parts(binary_cross_entropy, binary_cross_entropy_loss, g, batching.batch, at, labels);
    }
  }
}

TEST(BinaryCrossEntropy, CertaintiesAreBounded) {
  const BinaryRun run({.channels = 1}, 4, {0, 1, 0, 1}, {1, 0, 0, 1});
  EXPECT_EQ(run.losses, (Doubles{100, 100, 0, 0}));
  expect_close(run.gradient, {-0.25e12, 0.25e12, 0, 0}, 1e-6, "gradient");
}

}  // namespace cnn::tests
