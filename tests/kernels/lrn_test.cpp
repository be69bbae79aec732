// lrn against the definition.
#include "cnn/ops/lrn.hpp"

#include <cmath>

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

Doubles normalised(const Doubles& input, const LrnGeometry& g) {
  const auto pixels = static_cast<std::size_t>(g.map().pixels());
  Doubles output(input.size());
  for (std::size_t i = 0; i < input.size(); ++i) {
    const int channel = static_cast<int>(i / pixels % static_cast<std::size_t>(g.channels));
    double squares = 0;
    for (int shift = -(g.size / 2); shift <= (g.size - 1) / 2; ++shift) {
      if (channel + shift < 0 || channel + shift >= g.channels) continue;
      const double value = input[i + static_cast<std::size_t>(shift) * pixels];
      squares += value * value;
    }
    output[i] = input[i] / std::pow(g.k + g.alpha / g.size * squares, g.beta);
  }
  return output;
}

struct LrnRun {
  Doubles output, d_input;

  LrnRun(const LrnGeometry& g, int batch, const Doubles& input, const Doubles& d_output) {
    const Map x(g.map(), batch, input);
    const Map dy(g.map(), batch, d_output);
    Map y(g.map(), batch);
    Map dx(g.map(), batch);
    Map in_place(g.map(), batch, d_output);
    on_team([&] {
      lrn(y, x, g, batch);
      lrn_backward_input(dx, dy, x, g, batch);
      lrn_backward_input(in_place, in_place, x, g, batch);
    });
    EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    output = y.values();
    d_input = dx.values();
    EXPECT_EQ(d_input, in_place.values());
  }
};

}  // namespace

TEST(Lrn, EqualsTheDefinition) {
  for (const int size : {1, 2, 3, 5, 40}) {
    for (const float beta : {0.75f, 0.6f}) {
      for_each_map([&](const MapGeometry& map, int batch) {
        const LrnGeometry g{map.channels, map.height, map.width, size, map.block, 0.5f, beta, 2};
        Numbers numbers(41);
        const Doubles input = numbers.uniform(size_of(map, batch), -2, 2);
        const LrnRun run(g, batch, input, numbers.uniform(size_of(map, batch)));
        expect_close(run.output, normalised(input, g), 1e-6, "output");
      });
    }
  }
}

TEST(Lrn, GradientEqualsCentralDifferences) {
  for (const int size : {1, 2, 5, 6, 40}) {
    for (const float beta : {0.75f, 1.3f}) {
      for (const Batching& batching : kBatchings) {
        const LrnGeometry g{9, 2, 3, size, batching.block, 0.8f, beta, 1};
        Numbers numbers(42);
        const Doubles input = numbers.uniform(size_of(g.map(), batching.batch), -2, 2);
        const Doubles d_output = numbers.uniform(input.size());
        const LrnRun run(g, batching.batch, input, d_output);
        expect_gradient([&](const Doubles& at) { return normalised(at, g); }, input, d_output, run.d_input,
                        "d_input");
      }
    }
  }
}

TEST(Lrn, TheLargestWindowSpansAllChannels) {
  const LrnGeometry g{7, 2, 5, kLrnMostSize, 2, 3, 0.75f, 1};
  Numbers numbers(43);
  const Doubles input = numbers.uniform(size_of(g.map(), 3));
  const Doubles d_output = numbers.uniform(input.size());
  const LrnRun run(g, 3, input, d_output);
  expect_close(run.output, normalised(input, g), 1e-6, "output");
  expect_gradient([&](const Doubles& at) { return normalised(at, g); }, input, d_output, run.d_input,
                  "d_input");
}

}  // namespace cnn::tests
