// What the tests of losses share.
#pragma once

#include "maps.hpp"

namespace cnn::tests {

using LossAndGradient = void (*)(Blocked, Floats, ConstBlocked, Labels, const MapGeometry&, const LossBatch&);
using LossAlone = void (*)(Floats, ConstBlocked, Labels, const MapGeometry&, const LossBatch&);
/// The loss of one image from its outputs.
using ImageLoss = double (*)(const Doubles& outputs, int label);

/// Calls with a block of the images each, as some of all, write what one call for all does.
template <class WithGradient, class Alone>
void check_loss_in_parts(const WithGradient& with_gradient, const Alone& alone, const MapGeometry& g, int batch, const Doubles& scores,
                         const std::vector<int>& labels) {
  const Map x(g, batch, scores);
  Map gradient(g, batch), whole(g, batch);
  const auto images = static_cast<std::size_t>(batch);
  std::vector<float> losses = unwritten(images), losses_alone = unwritten(images), losses_whole = unwritten(images);
  on_team([&] { with_gradient(whole, losses_whole, x, labels, g, batch); });
  for (int block = 0; block < block_count(batch, g.block); ++block) {
    const int first = block * g.block, count = images_in_block(batch, g.block, block);
    const Blocked all = gradient;
    const ConstBlocked in = x;
    const LossBatch part(count, labels);
    const auto of = [&](auto values) { return values.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)); };
    on_team([&] {
      with_gradient({all.block(block), 0}, of(Floats(losses)), {in.block(block), 0}, of(Labels(labels)), g, part);
      alone(of(Floats(losses_alone)), {in.block(block), 0}, of(Labels(labels)), g, part);
    });
  }
  ASSERT_EQ(losses, losses_whole);
  ASSERT_EQ(losses_alone, losses_whole);
  ASSERT_EQ(gradient.values(), whole.values());
}

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
      check_loss_in_parts(with_gradient, alone, g, batching.batch, scores, labels);
      if (classes == 1) continue;  // cross-entropy of one class has no gradient
      expect_gradient(expected, scores, Doubles(batch, 1.0 / batching.batch), gradient.values(), "gradient");
    }
  }
}

}  // namespace cnn::tests
