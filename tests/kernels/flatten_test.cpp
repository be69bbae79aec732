// flatten keeps NCHW's order, and its backward is the way back.
#include "cnn/ops/flatten.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Flatten, KeepsTheOrderOfNchw) {
  for_each_map([](const MapGeometry& g, int batch) {
    const MapGeometry flat{.channels = g.elements(), .block = g.block};
    Numbers numbers(11);
    const Doubles input = numbers.uniform(size_of(g, batch));
    const Map x(g, batch, input);
    Map y(flat, batch);
    Map back(g, batch);
    on_team([&] {
      flatten(y, x, g, batch);
      flatten_backward_input(back, y, g, batch);
    });
    ASSERT_TRUE(y.surroundings_intact() && back.surroundings_intact());
    ASSERT_EQ(y.values(), input);
    ASSERT_EQ(back.values(), input);
  });
}

}  // namespace cnn::tests
