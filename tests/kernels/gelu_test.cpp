// gelu against x / 2 * (1 + erf(x / sqrt 2)).
#include "cnn/ops/gelu.hpp"

#include <cmath>

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Gelu, EqualsTheDefinition) {
  check_input_activation(
      gelu, gelu_backward_input, [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }, 3e-7);
}

}  // namespace cnn::tests
