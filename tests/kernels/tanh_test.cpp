// tanh against the mathematical library's.
#include "cnn/ops/tanh.hpp"

#include <cmath>

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Tanh, EqualsTheDefinition) {
  check_activation(
      tanh, tanh_backward_input, [](double x) { return std::tanh(x); }, 2e-7);
}

}  // namespace cnn::tests
