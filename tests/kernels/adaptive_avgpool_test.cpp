// adaptive_avgpool against the definition, into fewer, as many, and more bins than there are elements.
#include "cnn/ops/adaptive_avgpool.hpp"

#include <cmath>

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

MapGeometry input_of(const AdaptivePoolGeometry& g) {
  return {g.channels, g.in_height, g.in_width, g.block};
}
MapGeometry output_of(const AdaptivePoolGeometry& g) {
  return {g.channels, g.out_height, g.out_width, g.block};
}

// An axis' share of output `out` that input `in` has.
double share(int in, int out, int in_size, int out_size) {
  const double begin = std::floor(static_cast<double>(out) * in_size / out_size);
  const double end = std::ceil(static_cast<double>(out + 1) * in_size / out_size);
  return in >= begin && in < end ? 1 / (end - begin) : 0;
}

Doubles means(const Doubles& input, const AdaptivePoolGeometry& g) {
  const int in_pixels = input_of(g).pixels();
  const int out_pixels = output_of(g).pixels();
  Doubles output(input.size() / static_cast<std::size_t>(in_pixels) * static_cast<std::size_t>(out_pixels));
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto plane = i / static_cast<std::size_t>(in_pixels);
    const int in = static_cast<int>(i % static_cast<std::size_t>(in_pixels));
    for (int out = 0; out < out_pixels; ++out) {
      output[plane * static_cast<std::size_t>(out_pixels) + static_cast<std::size_t>(out)] +=
          input[i] * share(in / g.in_width, out / g.out_width, g.in_height, g.out_height) *
          share(in % g.in_width, out % g.out_width, g.in_width, g.out_width);
    }
  }
  return output;
}

}  // namespace

TEST(AdaptiveAvgpool, EqualsTheDefinition) {
  for (const auto& [out_height, out_width] : {std::pair{1, 1}, {2, 3}, {6, 6}, {7, 7}, {9, 20}}) {
    for_each_map([&](const MapGeometry& map, int batch) {
      const AdaptivePoolGeometry g{map.channels, map.height, map.width, out_height, out_width, map.block};
      Numbers numbers(45);
      const Doubles input = numbers.uniform(size_of(map, batch));
      const Map x(map, batch, input);
      Map y(output_of(g), batch);
      on_team([&] { adaptive_avgpool(y, x, g, batch); });
      ASSERT_TRUE(y.surroundings_intact());
      expect_close(y.values(), means(input, g), 1e-6, "output");
    });
  }
}

TEST(AdaptiveAvgpool, GradientEqualsCentralDifferences) {
  for (const Batching& batching : kBatchings) {
    for (const auto& [out_height, out_width] : {std::pair{2, 3}, {4, 8}}) {
      const AdaptivePoolGeometry g{2, 5, 7, out_height, out_width, batching.block};
      Numbers numbers(46);
      const Doubles input = numbers.uniform(size_of(input_of(g), batching.batch));
      const Doubles d_output = numbers.uniform(size_of(output_of(g), batching.batch));
      const Map dy(output_of(g), batching.batch, d_output);
      Map dx(input_of(g), batching.batch);
      on_team([&] { adaptive_avgpool_backward_input(dx, dy, g, batching.batch); });
      EXPECT_TRUE(dx.surroundings_intact());
      expect_gradient([&](const Doubles& at) { return means(at, g); }, input, d_output, dx.values(),
                      "d_input");
    }
  }
}

}  // namespace cnn::tests
