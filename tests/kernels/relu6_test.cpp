// relu6 against min(max(x, 0), 6).
#include "cnn/ops/relu6.hpp"

#include <cmath>
#include <limits>

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Relu6, EqualsTheDefinition) {
  check_activation(
      relu6, relu6_backward_input, [](double x) { return std::min(std::max(x, 0.0), 6.0); }, 0, 9);
}

TEST(Relu6, KeepsNaN) {
  const MapGeometry g{.channels = 20};
  const Doubles input(20, std::numeric_limits<double>::quiet_NaN());
  const Map x(g, 1, input);
  Map y(g, 1, Doubles(20, 0));
  on_team([&] { relu6(y, x, g, 1); });
  for (const double value : y.values()) EXPECT_TRUE(std::isnan(value));
}

}  // namespace cnn::tests
