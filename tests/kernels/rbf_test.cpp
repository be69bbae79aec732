// rbf against the distances to its codes.
#include "cnn/ops/rbf.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

Doubles scores(const Doubles& input) {
  Doubles output;
  for (std::size_t first = 0; first < input.size(); first += kRbfCodeLength) {
    for (int digit = 0; digit < kRbfCodes; ++digit) {
      double sum = 0;
      for (int place = 0; place < kRbfCodeLength; ++place) {
        const double difference =
            input[first + static_cast<std::size_t>(place)] - double{rbf_code(digit, place)};
        sum += difference * difference;
      }
      output.push_back(-sum);
    }
  }
  return output;
}

}  // namespace

TEST(Rbf, EqualsTheDefinition) {
  for (const Batching& batching : kBatchings) {
    const RbfGeometry g{.block = batching.block};
    const MapGeometry in{.channels = kRbfCodeLength, .block = batching.block};
    const MapGeometry out{.channels = kRbfCodes, .block = batching.block};
    Numbers numbers(58);
    const Doubles input = numbers.uniform(size_of(in, batching.batch), -2, 2);
    const Doubles d_output = numbers.uniform(size_of(out, batching.batch));
    const Map x(in, batching.batch, input);
    const Map dy(out, batching.batch, d_output);
    Map y(out, batching.batch);
    Map dx(in, batching.batch);
    on_team([&] {
      rbf(y, x, g, batching.batch);
      rbf_backward_input(dx, dy, x, g, batching.batch);
    });
    ASSERT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    expect_close(y.values(), scores(input), 1e-6, "output");
    expect_gradient(scores, input, d_output, dx.values(), "d_input");
  }
}

// Codes that were alike could not tell their digits apart.
TEST(Rbf, CodesAreOfInkAndPaperAndDiffer) {
  for (int one = 0; one < kRbfCodes; ++one) {
    for (int other = 0; other < one; ++other) {
      int differences = 0;
      for (int place = 0; place < kRbfCodeLength; ++place) {
        EXPECT_EQ(std::abs(rbf_code(one, place)), 1);
        differences += rbf_code(one, place) != rbf_code(other, place) ? 1 : 0;
      }
      EXPECT_GE(differences, 5) << one << " and " << other;
    }
  }
}

}  // namespace cnn::tests
