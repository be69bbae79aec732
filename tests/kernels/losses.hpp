// What the tests of losses share.
#pragma once

#include "maps.hpp"

namespace cnn::tests {

using LossAndGradient = void (*)(Blocked, Floats, ConstBlocked, Labels, const MapGeometry&, int);
using LossAlone = void (*)(Floats, ConstBlocked, Labels, const MapGeometry&, int);
/// The loss of one image from its outputs.
using ImageLoss = double (*)(const Doubles& outputs, int label);

/// A loss equals `definition`, its gradient equals that of the mean over the batch, and both work in place.
inline void check_loss(LossAndGradient with_gradient, LossAlone alone, ImageLoss definition) {
  for (const int classes : {1, 2, 10, 33}) {
    for (const Batching& batching : kBatchings) {
      SCOPED_TRACE(testing::Message()
                   << classes << " classes, batch " << batching.batch << ", NB " << batching.block);
      const MapGeometry g{.channels = classes, .block = batching.block};
      const auto batch = static_cast<std::size_t>(batching.batch);
      Numbers numbers(20);
      const Doubles scores = numbers.uniform(static_cast<std::size_t>(classes) * batch, -3, 3);
      const std::vector<int> labels = numbers.labels(batching.batch, classes);
      const Map x(g, batching.batch, scores);
      Map gradient(g, batching.batch);
      Map in_place(g, batching.batch, scores);
      std::vector<float> losses = unwritten(batch);
      std::vector<float> losses_alone = unwritten(batch);
      std::vector<float> losses_in_place = unwritten(batch);
      on_team([&] {
        with_gradient(gradient, losses, x, labels, g, batching.batch);
        with_gradient(in_place, losses_in_place, in_place, labels, g, batching.batch);
        alone(losses_alone, x, labels, g, batching.batch);
      });
      ASSERT_TRUE(gradient.surroundings_intact());
      const auto expected = [&](const Doubles& outputs) {
        Doubles result(batch);
        for (std::size_t image = 0; image < batch; ++image) {
          const auto first = outputs.begin() + static_cast<std::ptrdiff_t>(image) * classes;
          result[image] = definition({first, first + classes}, labels[image]);
        }
        return result;
      };
      expect_close(doubles(losses), expected(scores), 1e-6, "losses");
      ASSERT_EQ(losses, losses_alone);
      ASSERT_EQ(losses, losses_in_place);
      ASSERT_EQ(gradient.values(), in_place.values());
      if (classes == 1) continue;  // cross-entropy of one class has no gradient
      expect_gradient(expected, scores, Doubles(batch, 1.0 / batching.batch), gradient.values(), "gradient");
    }
  }
}

}  // namespace cnn::tests
