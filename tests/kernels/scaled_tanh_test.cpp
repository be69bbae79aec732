// scaled_tanh against the mathematical library's tanh.
#include "cnn/ops/scaled_tanh.hpp"

#include <cmath>

#include "elementwise.hpp"

namespace cnn::tests {

TEST(ScaledTanh, EqualsTheDefinition) {
  constexpr float kScale = 1.7159f;
  constexpr float kSlope = 2.0f / 3;
  const auto own = [](const MapGeometry& g) {
    return ScaledTanhGeometry{g.channels, g.height, g.width, g.block, kScale, kSlope};
  };
  check_elementwise(
      [&](Blocked y, ConstBlocked x, const MapGeometry& g, int batch) { scaled_tanh(y, x, own(g), batch); },
      [&](Blocked dx, ConstBlocked dy, ConstBlocked, ConstBlocked y, const MapGeometry& g, int batch) {
        scaled_tanh_backward_input(dx, dy, y, own(g), batch);
      },
      [](double x) { return double{kScale} * std::tanh(double{kSlope} * x); }, 3e-7);
}

}  // namespace cnn::tests
