// dropout: which elements, how many, how scaled, and that backward makes the same choice.
#include "cnn/ops/dropout.hpp"

#include <cmath>

#include "cnn/core/random.hpp"
#include "elementwise.hpp"

namespace cnn::tests {

namespace {

constexpr RandomKey kKey{12345, 7};

Doubles dropped(const DropoutGeometry& d, int batch, const Doubles& input, const RandomKey& key) {
  const MapGeometry g{d.channels, d.height, d.width, d.block};
  const Map x(g, batch, input);
  Map y(g, batch);
  Map in_place(g, batch, input);
  Map backward(g, batch);
  on_team([&] {
    dropout(y, x, d, batch, key);
    dropout(in_place, in_place, d, batch, key);
    dropout_backward_input(backward, x, d, batch, key);
  });
  EXPECT_TRUE(y.surroundings_intact());
  EXPECT_EQ(y.values(), in_place.values());
  EXPECT_EQ(y.values(), backward.values());
  return y.values();
}

}  // namespace

TEST(Dropout, EqualsTheDefinition) {
  for_each_map([](const MapGeometry& g, int batch) {
    const Doubles input = Numbers(17).uniform(size_of(g, batch), 1, 2);
    const DropoutGeometry d{g.channels, g.height, g.width, g.block, 0.25f, 3};
    Doubles expected = input;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] = uniform(kKey, 3, i) < 0.25f ? 0 : static_cast<float>(input[i]) * (1 / 0.75f);
    }
    ASSERT_EQ(dropped(d, batch, input, kKey), expected);
  });
}

TEST(Dropout, DropsTheShareAsked) {
  const int count = 40000;
  const DropoutGeometry d{.channels = count, .block = 4, .rate = 0.3f, .stream = 1};
  const Doubles output = dropped(d, 1, Doubles(count, 1), kKey);
  const auto zeros = static_cast<double>(std::count(output.begin(), output.end(), 0.0));
  EXPECT_NEAR(zeros / count, 0.3, 4 * std::sqrt(0.3 * 0.7 / count));
}

TEST(Dropout, DiffersByStepSeedAndStream) {
  DropoutGeometry d{.channels = 1000, .rate = 0.5f};
  const Doubles ones(1000, 1);
  const Doubles first = dropped(d, 1, ones, {1, 1});
  EXPECT_NE(first, dropped(d, 1, ones, {1, 2}));
  EXPECT_NE(first, dropped(d, 1, ones, {2, 1}));
  EXPECT_EQ(first, dropped(d, 1, ones, {1, 1}));
  d.stream = 1;
  EXPECT_NE(first, dropped(d, 1, ones, {1, 1}));
}

TEST(Dropout, ImagesDrawTheSameWhereTheyAreCalledInParts) {
  const DropoutGeometry d{.channels = 7, .block = 4, .rate = 0.5f, .stream = 2};
  const Doubles all = dropped(d, 10, Doubles(70, 1), kKey);
  const Doubles last = dropped(d, 6, Doubles(42, 1), {kKey.seed, kKey.step, 4});
  EXPECT_EQ(last, Doubles(all.begin() + 28, all.end()));
}

TEST(Dropout, RateZeroKeepsAllAndRateOneNothing) {
  DropoutGeometry d{.channels = 50, .rate = 0};
  const Doubles input = Numbers(18).uniform(50);
  EXPECT_EQ(dropped(d, 1, input, kKey), input);
  d.rate = 1;
  EXPECT_EQ(dropped(d, 1, input, kKey), Doubles(50, 0));
}

}  // namespace cnn::tests
