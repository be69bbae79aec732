// add of several maps, into a new one and into one of them.
#include "cnn/ops/add.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Add, SumsInOrderAndInPlace) {
  for_each_map([](const MapGeometry& g, int batch) {
    Numbers numbers(14);
    const Doubles first = numbers.uniform(size_of(g, batch));
    const Doubles second = numbers.uniform(size_of(g, batch));
    const Doubles third = numbers.uniform(size_of(g, batch));
    const Map a(g, batch, first);
    const Map b(g, batch, second);
    Map c(g, batch, third);
    Map two(g, batch);
    Map three(g, batch);
    on_team([&] {
      add(two, {a, b}, Activation::kNone, g, batch);
      add(three, {a, b, c}, Activation::kNone, g, batch);
      add(c, {a, b, c}, Activation::kNone, g, batch);
    });
    ASSERT_TRUE(two.surroundings_intact() && three.surroundings_intact());
    Doubles sums = first;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] = static_cast<float>(first[i]) + static_cast<float>(second[i]);
    }
    ASSERT_EQ(two.values(), sums);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = static_cast<float>(sums[i]) + static_cast<float>(third[i]);
    ASSERT_EQ(three.values(), sums);
    ASSERT_EQ(c.values(), sums);
  });
}

TEST(Add, LoadsAndCutsOff) {
  for_each_map([](const MapGeometry& g, int batch) {
    Numbers numbers(15);
    const Doubles first = numbers.uniform(size_of(g, batch), -9, 9);
    const Doubles second = numbers.uniform(size_of(g, batch));
    const Doubles affine = numbers.uniform(2 * static_cast<std::size_t>(g.channels), 0.5, 1.5);
    const std::vector<float> scale_and_shift = floats(affine);
    const Map a(g, batch, first);
    const Map b(g, batch, second);
    Map sum(g, batch);
    on_team([&] { add(sum, {Loaded(a, scale_and_shift, Activation::kRelu), b}, Activation::kRelu6, g, batch); });
    Doubles expected = first;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::size_t channel = i / static_cast<std::size_t>(g.pixels()) % static_cast<std::size_t>(g.channels);
      const double loaded = first[i] * affine[channel] + affine[static_cast<std::size_t>(g.channels) + channel];
      expected[i] = std::clamp(std::max(loaded, 0.0) + second[i], 0.0, 6.0);
    }
    expect_close(sum.values(), expected, 1e-6, "sum", 1);
  });
}

}  // namespace cnn::tests
