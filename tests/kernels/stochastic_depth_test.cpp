// stochastic_depth: which images, how many, how scaled, and that backward makes the same choice.
#include "cnn/ops/stochastic_depth.hpp"

#include <cmath>

#include "cnn/core/random.hpp"
#include "elementwise.hpp"

namespace cnn::tests {

namespace {

constexpr RandomKey kKey{12345, 7};

Doubles kept(const StochasticDepthGeometry& d, int batch, const Doubles& input, const RandomKey& key) {
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
    const Doubles input = Numbers(51).uniform(size_of(g, batch), 1, 2);
    const StochasticDepthGeometry d{g.channels, g.height, g.width, g.block, 0.25f, 3};
    Doubles expected = input;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const bool dropped = uniform(kKey, 3, i / static_cast<std::size_t>(g.elements())) < 0.25f;
      expected[i] = dropped ? 0 : static_cast<float>(input[i]) * (1 / 0.75f);
    }
    ASSERT_EQ(kept(d, batch, input, kKey), expected);
  });
}

TEST(StochasticDepth, DropsTheShareOfImagesAskedAndEachAsAWhole) {
  const int batch = 4000;
  const Doubles output =
      kept({.channels = 3, .block = 4, .rate = 0.2f, .stream = 1}, batch, Doubles(3 * batch, 1), kKey);
  int dropped = 0;
  for (std::size_t image = 0; image < batch; ++image) {
    dropped += output[3 * image] == 0 ? 1 : 0;
    ASSERT_EQ(output[3 * image], output[3 * image + 1]);
    ASSERT_EQ(output[3 * image], output[3 * image + 2]);
  }
  EXPECT_NEAR(static_cast<double>(dropped) / batch, 0.2, 4 * std::sqrt(0.2 * 0.8 / batch));
}

TEST(StochasticDepth, DiffersByStepSeedAndStream) {
  StochasticDepthGeometry d{.channels = 1, .rate = 0.5f};
  const Doubles ones(200, 1);
  const Doubles first = kept(d, 200, ones, {1, 1});
  EXPECT_NE(first, kept(d, 200, ones, {1, 2}));
  EXPECT_NE(first, kept(d, 200, ones, {2, 1}));
  EXPECT_EQ(first, kept(d, 200, ones, {1, 1}));
  d.stream = 1;
  EXPECT_NE(first, kept(d, 200, ones, {1, 1}));
}

TEST(StochasticDepth, RateZeroKeepsAllAndRateOneNothing) {
  StochasticDepthGeometry d{.channels = 5, .rate = 0};
  const Doubles input = Numbers(52).uniform(50);
  EXPECT_EQ(kept(d, 10, input, kKey), input);
  d.rate = 1;
  EXPECT_EQ(kept(d, 10, input, kKey), Doubles(50, 0));
}

}  // namespace cnn::tests
