// rbf against the distances to its codes.
#include "cnn/ops/rbf.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

constexpr std::array<std::int64_t, 2 * kRbfCodes> kCodes = {0x15555555555,
                                                            0x2aaaaaaaaaa,
                                                            1,
                                                            2,
                                                            3,
                                                            0x3ffffffffff,
                                                            0,
                                                            0,
                                                            0x123456789ab,
                                                            0x20000000000,
                                                            5,
                                                            6,
                                                            7,
                                                            8,
                                                            0x3c3c3c3c3c3,
                                                            9,
                                                            10,
                                                            11,
                                                            12,
                                                            0x0f0f0f0f0f0};

double code(int digit, int place) {
  return (kCodes[static_cast<std::size_t>(2 * digit + place / 42)] >> (place % 42)) % 2 == 1 ? 1 : -1;
}

Doubles scores(const Doubles& input) {
  Doubles output;
  for (std::size_t first = 0; first < input.size(); first += kRbfCodeLength) {
    for (int digit = 0; digit < kRbfCodes; ++digit) {
      double sum = 0;
      for (int place = 0; place < kRbfCodeLength; ++place) {
        const double difference = input[first + static_cast<std::size_t>(place)] - code(digit, place);
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
    const RbfGeometry g{.block = batching.block, .codes = kCodes};
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

}  // namespace cnn::tests
