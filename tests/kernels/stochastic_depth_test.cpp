// stochastic_depth: whole images, how many, how scaled, and that backward makes the same choice.
#include "cnn/ops/stochastic_depth.hpp"

#include <cmath>

#include "cnn/core/random.hpp"
#include "elementwise.hpp"

namespace cnn::tests {

namespace {

constexpr RandomKey kKey{12345, 7};

Doubles run(const StochasticDepthGeometry& d, int batch, const Doubles& input, const RandomKey& key) {
  const MapGeometry g{d.channels, d.height, d.width, d.block};
  const Map x(g, batch, input);
  Map y(g, batch);
  Map in_place(g, batch, input);
  Map backward(g, batch);
  on_team([&] {
    stochastic_depth(y, x, d, batch, key);
    stochastic_depth(in_place, in_place, d, batch, key);
    stochastic_depth_backward_input(backward, x, d, batch, key);
  });
  EXPECT_TRUE(y.surroundings_intact());
  EXPECT_EQ(y.values(), in_place.values());
  EXPECT_EQ(y.values(), backward.values());
  return y.values();
}

}  // namespace

TEST(StochasticDepth, EqualsTheDefinition) {
  for_each_map([](const MapGeometry& g, int batch) {
    const Doubles input = Numbers(54).uniform(size_of(g, batch), 1, 2);
    const StochasticDepthGeometry d{g.channels, g.height, g.width, g.block, 0.25f, 3};
    Doubles expected = input;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const bool gone = uniform(kKey, 3, i / static_cast<std::size_t>(g.elements())) < 0.25f;
      expected[i] = gone ? 0 : static_cast<float>(input[i]) * (1 / 0.75f);
    }
    ASSERT_EQ(run(d, batch, input, kKey), expected);
  });
}

TEST(StochasticDepth, ImagesDrawTheSameWhereTheyAreCalledInParts) {
  const StochasticDepthGeometry d{.channels = 1, .block = 4, .rate = 0.5f, .stream = 1};
  const Doubles all = run(d, 40, Doubles(40, 1), kKey);
  const Doubles last = run(d, 36, Doubles(36, 1), {kKey.seed, kKey.step, 4});
  EXPECT_EQ(last, Doubles(all.begin() + 4, all.end()));
}

TEST(StochasticDepth, DropsTheShareAskedAndDiffersByStepAndStream) {
  constexpr int kImages = 4000;
  StochasticDepthGeometry d{.channels = 1, .block = 4, .rate = 0.3f, .stream = 1};
  const Doubles ones(kImages, 1);
  const Doubles output = run(d, kImages, ones, kKey);
  const auto zeros = static_cast<double>(std::count(output.begin(), output.end(), 0.0));
  EXPECT_NEAR(zeros / kImages, 0.3, 4 * std::sqrt(0.3 * 0.7 / kImages));
  EXPECT_NE(output, run(d, kImages, ones, {12345, 8}));
  d.stream = 2;
  EXPECT_NE(output, run(d, kImages, ones, kKey));
  d.rate = 0;
  EXPECT_EQ(run(d, kImages, ones, kKey), ones);
  d.rate = 1;
  EXPECT_EQ(run(d, kImages, ones, kKey), Doubles(kImages, 0));
}

}  // namespace cnn::tests
