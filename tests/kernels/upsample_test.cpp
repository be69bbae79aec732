// upsample against pixels repeated one by one, and backward by central differences.
#include "cnn/ops/upsample.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

Doubles repeated(const Doubles& input, const UpsampleGeometry& g) {
  const int height = g.in_height * g.vertical, width = g.in_width * g.horizontal;
  const std::size_t planes = input.size() / static_cast<std::size_t>(g.in_height * g.in_width);
  Doubles output;
  for (std::size_t plane = 0; plane < planes; ++plane) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const auto row =
            plane * static_cast<std::size_t>(g.in_height) + static_cast<std::size_t>(y / g.vertical);
        output.push_back(
            input[row * static_cast<std::size_t>(g.in_width) + static_cast<std::size_t>(x / g.horizontal)]);
      }
    }
  }
  return output;
}

}  // namespace

TEST(Upsample, RepeatsPixels) {
  for (const Batching& batching : kBatchings) {
    for (const auto& [vertical, horizontal] : {std::pair{1, 1}, {2, 2}, {1, 3}, {7, 1}, {3, 2}}) {
      for (const auto& [height, width] : {std::pair{1, 1}, {3, 7}, {13, 1}}) {
        const UpsampleGeometry g{3, height, width, vertical, horizontal, batching.block};
        const MapGeometry in{3, height, width, batching.block};
        const MapGeometry out{3, height * vertical, width * horizontal, batching.block};
        Numbers numbers(54);
        const Doubles input = numbers.uniform(size_of(in, batching.batch));
        const Doubles d_output = numbers.uniform(size_of(out, batching.batch));
        const Map x(in, batching.batch, input);
        const Map dy(out, batching.batch, d_output);
        Map y(out, batching.batch);
        Map dx(in, batching.batch);
        on_team([&] {
          upsample(y, x, g, batching.batch);
          upsample_backward_input(dx, dy, g, batching.batch);
        });
        ASSERT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
        ASSERT_EQ(y.values(), repeated(input, g));
        expect_gradient([&](const Doubles& at) { return repeated(at, g); }, input, d_output, dx.values(),
                        "d_input");
      }
    }
  }
}

}  // namespace cnn::tests
