// sigmoid against the definition.
#include "cnn/ops/sigmoid.hpp"

#include <cmath>

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Sigmoid, EqualsTheDefinition) {
  check_activation(
      sigmoid, sigmoid_backward_input, [](double x) { return 1 / (1 + std::exp(-x)); }, 2e-7);
}

}  // namespace cnn::tests
