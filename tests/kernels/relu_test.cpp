// relu against max(x, 0).
#include "cnn/ops/relu.hpp"

#include <cmath>
#include <limits>

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Relu, EqualsTheDefinition) {
  check_activation(
      relu, relu_backward_input, [](double x) { return std::max(x, 0.0); }, 0);
}

TEST(Relu, KeepsNanSoThatDivergenceShows) {
  const MapGeometry g{1, 1, 3, 1};
  const Map x(g, 1, {std::numeric_limits<double>::quiet_NaN(), -1, 2});
  Map y(g, 1);
  relu(y, x, g, 1);
  EXPECT_TRUE(std::isnan(y.values()[0]));
  EXPECT_EQ(y.values()[1], 0);
}

TEST(Relu, HasNoGradientAtZero) {
  const MapGeometry g{1, 1, 2, 1};
  const Map y(g, 1, {0, 1});
  const Map dy(g, 1, {5, 5});
  Map dx(g, 1);
  relu_backward_input(dx, dy, y, g, 1);
  EXPECT_EQ(dx.values(), (Doubles{0, 5}));
}

}  // namespace cnn::tests
