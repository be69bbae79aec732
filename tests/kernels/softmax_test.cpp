// softmax against the definition.
#include "cnn/ops/softmax.hpp"

#include <cmath>

#include "elementwise.hpp"
#include "reference.hpp"

namespace cnn::tests {

TEST(Softmax, EqualsTheDefinition) {
  for_each_map([](const MapGeometry& g, int batch) {
    Numbers numbers(9);
    const Doubles input = numbers.uniform(size_of(g, batch), -4, 4);
    const Map x(g, batch, input);
    Map y(g, batch);
    Map in_place(g, batch, input);
    on_team([&] {
      softmax(y, x, g, batch);
      softmax(in_place, in_place, g, batch);
    });
    ASSERT_TRUE(y.surroundings_intact());
    expect_close(y.values(), reference::softmax(input, g, batch), 2e-6, "output");
    ASSERT_EQ(y.values(), in_place.values());
  });
}

TEST(Softmax, GradientEqualsCentralDifferences) {
  const MapGeometry g{4, 3, 2, 2};
  Numbers numbers(10);
  const Doubles input = numbers.uniform(size_of(g, 3), -2, 2);
  const Doubles d_output = numbers.uniform(size_of(g, 3));
  const Map x(g, 3, input);
  const Map dy(g, 3, d_output);
  Map y(g, 3);
  Map dx(g, 3);
  Map in_place(g, 3, d_output);
  on_team([&] {
    softmax(y, x, g, 3);
    softmax_backward_input(dx, dy, y, g, 3);
    softmax_backward_input(in_place, in_place, y, g, 3);
  });
  expect_gradient([&](const Doubles& at) { return reference::softmax(at, g, 3); }, input, d_output,
                  dx.values(), "d_input");
  EXPECT_EQ(dx.values(), in_place.values());
}

TEST(Softmax, LargeScoresDoNotOverflow) {
  const MapGeometry g{.channels = 3};
  const Map x(g, 1, {1000, 1000, -1000});
  Map y(g, 1);
  softmax(y, x, g, 1);
  EXPECT_EQ(y.values(), (Doubles{0.5, 0.5, 0}));
}

}  // namespace cnn::tests
