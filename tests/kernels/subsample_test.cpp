// subsample against its definition, its gradients against differences.
#include "cnn/ops/subsample.hpp"

#include "elementwise.hpp"
#include "reference.hpp"

namespace cnn::tests {

namespace {

PoolGeometry geometry(int height, int width, int kernel_height, int kernel_width, int block) {
  PoolGeometry g;
  g.channels = 3, g.in_height = height, g.in_width = width, g.block = block;
  g.kernel_height = g.stride_height = kernel_height, g.kernel_width = g.stride_width = kernel_width;
  EXPECT_TRUE(reference::complete(g, false));
  return g;
}

Doubles subsampled(const Doubles& input, const Doubles& weight, const Doubles& bias, const PoolGeometry& g,
                   int batch) {
  Doubles output = reference::avgpool(input, g, batch);
  for (std::size_t i = 0; i < output.size(); ++i) {
    const auto channel = i / static_cast<std::size_t>(g.out_height * g.out_width) % weight.size();
    output[i] = output[i] * weight[channel] + bias[channel];
  }
  return output;
}

void check(const PoolGeometry& g, int batch) {
  SCOPED_TRACE(testing::Message() << g.in_height << "x" << g.in_width << " by " << g.kernel_height << "x"
                                  << g.kernel_width << " NB " << g.block << " batch " << batch);
  const MapGeometry in{g.channels, g.in_height, g.in_width, g.block};
  const MapGeometry out{g.channels, g.out_height, g.out_width, g.block};
  Numbers numbers(57);
  const Doubles input = numbers.uniform(size_of(in, batch));
  const Doubles weight = numbers.uniform(3);
  const Doubles bias = numbers.uniform(3);
  const Doubles d_output = numbers.uniform(size_of(out, batch));
  const std::vector<float> w = floats(weight);
  const std::vector<float> b = floats(bias);
  std::vector<float> dw = unwritten(3);
  std::vector<float> db = unwritten(3);
  const Map x(in, batch, input);
  const Map dy(out, batch, d_output);
  Map y(out, batch);
  Map dx(in, batch);
  on_team([&] {
    subsample(y, x, w, b, g, batch);
    subsample_backward_input(dx, dy, w, b, g, batch);
    subsample_backward_params(dw, db, dy, x, g, batch);
  });
  ASSERT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
  expect_close(y.values(), subsampled(input, weight, bias, g, batch), 1e-6, "output");
  expect_gradient([&](const Doubles& at) { return subsampled(at, weight, bias, g, batch); }, input, d_output,
                  dx.values(), "d_input");
  expect_gradient([&](const Doubles& at) { return subsampled(input, at, bias, g, batch); }, weight, d_output,
                  doubles(dw), "d_weight");
  expect_gradient([&](const Doubles& at) { return subsampled(input, weight, at, g, batch); }, bias, d_output,
                  doubles(db), "d_bias");
}

}  // namespace

TEST(Subsample, EqualsTheDefinition) {
  for (const Batching& batching : kBatchings) {
    check(geometry(6, 8, 2, 2, batching.block), batching.batch);
    check(geometry(7, 13, 2, 3, batching.block), batching.batch);  // windows do not reach the edge
    check(geometry(3, 3, 1, 1, batching.block), batching.batch);
    if (testing::Test::HasFatalFailure()) return;
  }
  check(geometry(2, 140, 2, 2, 2), 3);  // more than one piece of a row
}

}  // namespace cnn::tests
