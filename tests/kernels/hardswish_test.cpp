// hardswish against x * min(max(x + 3, 0), 6) / 6.
#include "cnn/ops/hardswish.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Hardswish, EqualsTheDefinition) {
  check_input_activation(
      hardswish, hardswish_backward_input,
      [](double x) { return x * std::min(std::max(x + 3, 0.0), 6.0) / 6; }, 3e-7);
}

}  // namespace cnn::tests
