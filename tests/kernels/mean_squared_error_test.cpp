// The mean squared error against the definition.
#include "cnn/ops/mean_squared_error.hpp"

#include "losses.hpp"

namespace cnn::tests {

TEST(MeanSquaredError, EqualsTheDefinition) {
  check_loss(mean_squared_error, mean_squared_error_loss, [](const Doubles& outputs, int label) {
    double sum = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const double difference = outputs[i] - (i == static_cast<std::size_t>(label) ? 1 : 0);
      sum += difference * difference;
    }
    return sum / static_cast<double>(outputs.size());
  });
}

}  // namespace cnn::tests
