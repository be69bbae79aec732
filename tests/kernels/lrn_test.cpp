// lrn against PyTorch's formula, its gradient against differences.
#include "cnn/ops/lrn.hpp"

#include <cmath>

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

LrnGeometry geometry(const MapGeometry& g, int size, float alpha, float beta, float k) {
  return {g.channels, g.height, g.width, g.block, size, alpha, beta, k};
}

Doubles normalised(const Doubles& input, const LrnGeometry& g) {
  const auto pixels = static_cast<std::size_t>(g.height * g.width);
  const auto channels = static_cast<std::size_t>(g.channels);
  Doubles output = input;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto channel = static_cast<int>(i / pixels % channels);
    double sum = 0;
    for (int other = channel - g.size / 2; other <= channel + (g.size - 1) / 2; ++other) {
      if (other < 0 || other >= g.channels) continue;
      const double x =
          input[i + static_cast<std::size_t>(other) * pixels - static_cast<std::size_t>(channel) * pixels];
      sum += x * x;
    }
    output[i] = input[i] / std::pow(double{g.k} + double{g.alpha} / g.size * sum, double{g.beta});
  }
  return output;
}

struct Constants {
  int size;
  float alpha, beta, k;
};
constexpr Constants kConstants[] = {
    {5, 1e-4f, 0.75f, 1}, {5, 0.5f, 0.75f, 2}, {4, 2, 0.5f, 1}, {1, 1, 1, 1}, {20, 3, 0.75f, 1}};

}  // namespace

TEST(Lrn, EqualsTheDefinition) {
  for (const Constants& c : kConstants) {
    for_each_map([&](const MapGeometry& map, int batch) {
      const LrnGeometry g = geometry(map, c.size, c.alpha, c.beta, c.k);
      const Doubles input = Numbers(50).uniform(size_of(map, batch), -3, 3);
      const Map x(map, batch, input);
      Map y(map, batch);
      on_team([&] { lrn(y, x, g, batch); });
      ASSERT_TRUE(y.surroundings_intact());
      expect_close(y.values(), normalised(input, g), 1e-6, "output");
    });
  }
}

TEST(Lrn, GradientEqualsCentralDifferences) {
  for (const Constants& c : kConstants) {
    for (const Batching& batching : {Batching{1, 1}, {5, 2}, {5, 4}}) {
      const MapGeometry map{9, 3, 2, batching.block};
      const LrnGeometry g = geometry(map, c.size, c.alpha, c.beta, c.k);
      Numbers numbers(51);
      const Doubles input = numbers.uniform(size_of(map, batching.batch), -2, 2);
      const Doubles d_output = numbers.uniform(size_of(map, batching.batch));
      const Map x(map, batching.batch, input);
      const Map dy(map, batching.batch, d_output);
      Map dx(map, batching.batch);
      on_team([&] { lrn_backward_input(dx, dy, x, g, batching.batch); });
      EXPECT_TRUE(dx.surroundings_intact());
      expect_gradient([&](const Doubles& at) { return normalised(at, g); }, input, d_output, dx.values(),
                      "d_input");
    }
  }
}

}  // namespace cnn::tests
