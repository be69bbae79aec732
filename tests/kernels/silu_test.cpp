// silu against x / (1 + e^-x).
#include "cnn/ops/silu.hpp"

#include <cmath>

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Silu, EqualsTheDefinition) {
  check_input_activation(
      silu, silu_backward_input, [](double x) { return x / (1 + std::exp(-x)); }, 3e-7);
}

TEST(Silu, IsZeroFarBelowAndItsInputFarAbove) {
  const MapGeometry g{.channels = 2};
  const Map x(g, 1, {-200, 200});
  Map y(g, 1);
  on_team([&] { silu(y, x, g, 1); });
  EXPECT_EQ(y.values(), (Doubles{0, 200}));
}

}  // namespace cnn::tests
