// pad against a copy into zeros.
#include "cnn/ops/pad.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Pad, PutsZerosAround) {
  for (const Batching& batching : kBatchings) {
    for (const auto& [top, left] : {std::pair{0, 0}, {1, 0}, {0, 2}, {3, 1}}) {
      const PadGeometry g{3, 4, 5, 4 + 2 * top, 5 + 2 * left, top, left, batching.block};
      const MapGeometry in{3, 4, 5, batching.block};
      const MapGeometry out{3, g.out_height, g.out_width, batching.block};
      const Doubles input = Numbers(53).uniform(size_of(in, batching.batch));
      Doubles expected(size_of(out, batching.batch), 0);
      for (std::size_t i = 0; i < input.size(); ++i) {
        const auto plane = static_cast<int>(i) / 20;
        const int y = static_cast<int>(i) / 5 % 4 + top;
        const int x = static_cast<int>(i) % 5 + left;
        expected[static_cast<std::size_t>((plane * g.out_height + y) * g.out_width + x)] = input[i];
      }
      const Map x(in, batching.batch, input);
      Map y(out, batching.batch);
      Map dx(in, batching.batch);
      on_team([&] {
        pad(y, x, g, batching.batch);
        pad_backward_input(dx, y, g, batching.batch);
      });
      ASSERT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
      ASSERT_EQ(y.values(), expected);
      ASSERT_EQ(dx.values(), input);
    }
  }
}

}  // namespace cnn::tests
