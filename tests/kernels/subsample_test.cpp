// subsample against avgpool's definition with a coefficient and a bias a channel.
#include "cnn/ops/subsample.hpp"

#include "pools.hpp"

namespace cnn::tests {

namespace {

Doubles subsampled(const Doubles& input, const Doubles& coefficient, const Doubles& bias,
                   const PoolGeometry& g, int batch) {
  Doubles output = reference::avgpool(input, g, batch);
  for (std::size_t i = 0; i < output.size(); ++i) {
    const std::size_t channel = i / static_cast<std::size_t>(g.out_height * g.out_width) % coefficient.size();
    output[i] = output[i] * coefficient[channel] + bias[channel];
  }
  return output;
}

struct SubsampleRun {
  Doubles input, coefficient, bias, d_output;
  Doubles output, d_input, d_coefficient, d_bias;

  SubsampleRun(const PoolGeometry& g, int batch) {
    Numbers numbers(50);
    input = numbers.uniform(size_of(pool_input(g), batch));
    coefficient = numbers.uniform(static_cast<std::size_t>(g.channels));
    bias = numbers.uniform(static_cast<std::size_t>(g.channels));
    d_output = numbers.uniform(size_of(pool_output(g), batch));
    const Map x(pool_input(g), batch, input);
    const Map dy(pool_output(g), batch, d_output);
    const std::vector<float> c = floats(coefficient);
    const std::vector<float> b = floats(bias);
    Map y(pool_output(g), batch);
    Map dx(pool_input(g), batch);
    std::vector<float> dc = unwritten(c.size());
    std::vector<float> db = unwritten(b.size());
    on_team([&] {
      subsample(y, x, c, b, g, batch);
      subsample_backward_input(dx, dy, c, g, batch);
      subsample_backward_params(dc, db, dy, x, g, batch);
    });
    EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    output = y.values();
    d_input = dx.values();
    d_coefficient = doubles(dc);
    d_bias = doubles(db);
  }
};

}  // namespace

TEST(Subsample, EqualsTheDefinition) {
  for_each_pool([](const PoolGeometry& g, int batch) {
    const SubsampleRun run(g, batch);
    expect_close(run.output, subsampled(run.input, run.coefficient, run.bias, g, batch), 1e-6, "output", 1);
    Doubles products = reference::avgpool(run.input, g, batch);
    for (std::size_t i = 0; i < products.size(); ++i) products[i] *= run.d_output[i];
    const int pixels = g.out_height * g.out_width;
    expect_close(run.d_coefficient, reference::channel_sums(products, g.channels, pixels, batch), 2e-6,
                 "d_coefficient", 1);
    expect_close(run.d_bias, reference::channel_sums(run.d_output, g.channels, pixels, batch), 2e-6, "d_bias",
                 1);
  });
}

TEST(Subsample, GradientsEqualCentralDifferences) {
  PoolGeometry halves;  // as LeNet-5 has it
  halves.channels = 3, halves.in_height = 6, halves.in_width = 8, halves.block = 4;
  halves.kernel_height = halves.kernel_width = halves.stride_height = halves.stride_width = 2;
  ASSERT_TRUE(reference::complete(halves, false));
  for (const PoolGeometry& g : {halves, overlapping_pool()}) {
    const SubsampleRun run(g, 5);
    expect_gradient([&](const Doubles& at) { return subsampled(at, run.coefficient, run.bias, g, 5); },
                    run.input, run.d_output, run.d_input, "d_input");
    expect_gradient([&](const Doubles& at) { return subsampled(run.input, at, run.bias, g, 5); },
                    run.coefficient, run.d_output, run.d_coefficient, "d_coefficient");
    expect_gradient([&](const Doubles& at) { return subsampled(run.input, run.coefficient, at, g, 5); },
                    run.bias, run.d_output, run.d_bias, "d_bias");
  }
}

}  // namespace cnn::tests
