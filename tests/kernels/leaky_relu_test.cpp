// leaky_relu against its definition, for several slopes.
#include "cnn/ops/leaky_relu.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

TEST(LeakyRelu, EqualsTheDefinition) {
  for (const float slope : {0.0f, 0.01f, 0.25f, 1.0f}) {
    const auto own = [&](const MapGeometry& g) {
      return LeakyReluGeometry{g.channels, g.height, g.width, g.block, slope};
    };
    check_elementwise(
        [&](Blocked y, ConstBlocked x, const MapGeometry& g, int batch) { leaky_relu(y, x, own(g), batch); },
        [&](Blocked dx, ConstBlocked dy, ConstBlocked, ConstBlocked y, const MapGeometry& g, int batch) {
          leaky_relu_backward_input(dx, dy, y, own(g), batch);
        },
        [&](double x) { return x > 0 ? x : static_cast<double>(slope) * x; }, 1e-7);
  }
}

}  // namespace cnn::tests
