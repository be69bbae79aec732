// gap against the mean.
#include "cnn/ops/gap.hpp"

#include "elementwise.hpp"
#include "reference.hpp"

namespace cnn::tests {

namespace {

Doubles means(const Doubles& input, const MapGeometry& g) {
  const auto pixels = static_cast<std::size_t>(g.pixels());
  Doubles result(input.size() / pixels);
  for (std::size_t i = 0; i < input.size(); ++i) result[i / pixels] += input[i] / static_cast<double>(pixels);
  return result;
}

}  // namespace

TEST(Gap, EqualsTheDefinition) {
  for_each_map([](const MapGeometry& g, int batch) {
    const MapGeometry flat{.channels = g.channels, .block = g.block};
    Numbers numbers(12);
    const Doubles input = numbers.uniform(size_of(g, batch));
    const Map x(g, batch, input);
    Map y(flat, batch);
    on_team([&] { gap(y, x, g, batch); });
    ASSERT_TRUE(y.surroundings_intact());
    expect_close(y.values(), means(input, g), 1e-6, "output");
  });
}

TEST(Gap, GradientEqualsCentralDifferences) {
  for (const Batching& batching : kBatchings) {
    const MapGeometry g{3, 4, 3, batching.block};
    const MapGeometry flat{.channels = 3, .block = batching.block};
    Numbers numbers(13);
    const Doubles input = numbers.uniform(size_of(g, batching.batch));
    const Doubles d_output = numbers.uniform(size_of(flat, batching.batch));
    const Map dy(flat, batching.batch, d_output);
    Map dx(g, batching.batch);
    on_team([&] { gap_backward_input(dx, dy, g, batching.batch); });
    EXPECT_TRUE(dx.surroundings_intact());
    expect_gradient([&](const Doubles& at) { return means(at, g); }, input, d_output, dx.values(), "d_input");
  }
}

TEST(Gap, ScalesShiftsAndCutsOffWhatItLoads) {
  for_each_map([](const MapGeometry& g, int batch) {
    expect_loads(g, {.channels = g.channels, .block = g.block}, batch,
                 [&](Blocked y, const Loaded& x, int images) { gap(y, x, g, images); });
  });
}

}  // namespace cnn::tests
