// lanes::conv and lanes::dense against the definition, over shapes that catch edges.
#include "cnn/ops/lanes/conv.hpp"

#include "lanes.hpp"

namespace cnn::tests {

namespace {

std::string describe(const ConvGeometry& g, int batch) {
  std::string text = "conv";
  for (const int value : {g.in_channels, g.in_height, g.in_width, g.out_channels, g.kernel_height, g.kernel_width, g.stride_height,
                          g.stride_width, g.pad_top, g.pad_left, g.dilation_height, g.dilation_width, batch}) {
    text.append(" ").append(std::to_string(value));
  }
  return text;
}

// One convolution's operands and all that its kernels make of them.
struct LanesConvRun {
  Doubles input, weight, bias, d_output;
  Doubles output, d_input, d_weight, d_bias;

  LanesConvRun(const ConvGeometry& g, int batch, bool biased, unsigned seed, int threads = 1) {
    Numbers numbers(seed);
    const MapGeometry in = on_lanes(g.in_channels, g.in_height, g.in_width);
    const MapGeometry out = on_lanes(g.out_channels, g.out_height, g.out_width);
    input = numbers.uniform(static_cast<std::size_t>(in.elements() * batch));
    weight = numbers.uniform(static_cast<std::size_t>(g.out_channels * g.depth()));
    if (biased) bias = numbers.uniform(static_cast<std::size_t>(g.out_channels));
    d_output = numbers.uniform(static_cast<std::size_t>(out.elements() * batch));
    const Map x(in, batch, input);
    const Map dy(out, batch, d_output);
    Map y(out, batch);
    Map dx(in, batch);
    const std::vector<float> w = floats(weight);
    const std::vector<float> b = floats(bias);
    std::vector<float> dw = unwritten(w.size());
    std::vector<float> db = unwritten(b.size());
    const TestScratch scratch(lanes::conv_backward_params_scratch(g, batch), threads);
    on_team(
        [&] {
          if (biased) {
            lanes::conv(y, x, w, b, g, batch);
            lanes::conv_backward_params(dw, db, dy, x, g, batch, scratch);
          } else {
            lanes::conv(y, x, w, g, batch);
            lanes::conv_backward_params(dw, dy, x, g, batch, scratch);
          }
          lanes::conv_backward_input(dx, dy, w, g, batch);
        },
        threads);
    EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    output = y.values();
    d_input = dx.values();
    d_weight = doubles(dw);
    d_bias = doubles(db);
  }
};

void check(const ConvGeometry& g, int batch, bool biased, unsigned seed) {
  SCOPED_TRACE(describe(g, batch));
  const LanesConvRun run(g, batch, biased, seed);
  expect_close(run.output, reference::conv(run.input, run.weight, run.bias, g, batch), 2e-6, "output", 1);
  expect_close(run.d_input, reference::conv_backward_input(run.d_output, run.weight, g, batch), 2e-6, "d_input", 1);
  expect_close(run.d_weight, reference::conv_backward_weight(run.d_output, run.input, g, batch), 4e-6, "d_weight", 1);
  if (!biased) return;
  expect_close(run.d_bias, reference::channel_sums(run.d_output, g.out_channels, g.out_height * g.out_width, batch), 2e-6,
               "d_bias", 1);
}

ConvGeometry square(int in, int out, int size, int kernel, int pad) {
  ConvGeometry g;
  g.in_channels = in, g.in_height = g.in_width = size;
  g.out_channels = out, g.kernel_height = g.kernel_width = kernel;
  g.pad_top = g.pad_left = pad, g.block = lanes::kImages;
  EXPECT_TRUE(reference::complete(g));
  return g;
}

// All strides, paddings up to more than half the kernel, and dilations of a kernel on a map.
int check_windows(int height, int width, int kernel_height, int kernel_width, int in, int out, int batch) {
  int checked = 0;
  for (int stride = 1; stride <= 3; ++stride) {
    for (const int pad : {0, 1, kernel_height / 2 + 1}) {
      for (int dilation = 1; dilation <= 2; ++dilation) {
        ConvGeometry g;
        g.in_channels = in, g.in_height = height, g.in_width = width, g.out_channels = out;
        g.kernel_height = kernel_height, g.kernel_width = kernel_width;
        g.stride_height = stride, g.stride_width = stride == 3 ? 1 : stride;
        g.pad_top = pad, g.pad_left = pad == 1 ? 0 : pad;
        g.dilation_height = dilation, g.dilation_width = stride == 2 ? 1 : dilation;
        g.block = lanes::kImages;
        if (!reference::complete(g)) continue;
        check(g, batch, stride != 2, static_cast<unsigned>(checked++));
        if (testing::Test::HasFatalFailure()) return checked;
      }
    }
  }
  return checked;
}

void sweep(int in, int out, std::initializer_list<int> batches) {
  int checked = 0;
  for (const int height : {1, 3, 7, 13}) {
    for (const int width : {1, 3, 7, 13}) {
      for (const auto& [kernel_height, kernel_width] : {std::pair{1, 1}, {3, 3}, {2, 4}, {5, 2}, {1, 7}}) {
        for (const int batch : batches) {
          checked += check_windows(height, width, kernel_height, kernel_width, in, out, batch);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(checked, 500);
}

}  // namespace

TEST(LanesConv, EqualsTheDefinition) {
  sweep(3, 4, {1, 17});
}
TEST(LanesConv, EqualsTheDefinitionWithUnevenChannels) {
  sweep(1, 7, {5});
}

TEST(LanesConv, EqualsTheDefinitionInLeNet5) {
  check(square(1, 6, 32, 5, 0), 19, true, 1);
  check(square(6, 16, 14, 5, 0), 150, true, 2);   // more blocks than slots
  check(square(16, 120, 5, 5, 0), 21, true, 3);   // the whole map: a dense layer
  check(square(13, 17, 1, 1, 0), 21, false, 4);
  check(square(2, 3, 33, 11, 5), 3, true, 5);     // more taps in a row than a register tile has
}

TEST(LanesConv, GradientsEqualCentralDifferences) {
  ConvGeometry g;
  g.in_channels = 3, g.in_height = 5, g.in_width = 6, g.out_channels = 5;
  g.kernel_height = 3, g.kernel_width = 2, g.stride_height = 2, g.pad_top = 1, g.pad_left = 1, g.dilation_width = 2;
  g.block = lanes::kImages;
  ASSERT_TRUE(reference::complete(g));
  const LanesConvRun run(g, 3, true, 7);
  expect_gradient([&](const Doubles& x) { return reference::conv(x, run.weight, run.bias, g, 3); }, run.input, run.d_output,
                  run.d_input, "d_input");
  expect_gradient([&](const Doubles& w) { return reference::conv(run.input, w, run.bias, g, 3); }, run.weight, run.d_output,
                  run.d_weight, "d_weight");
  expect_gradient([&](const Doubles& b) { return reference::conv(run.input, run.weight, b, g, 3); }, run.bias, run.d_output,
                  run.d_bias, "d_bias");
}

TEST(LanesConv, ThreadsMakeNoDifference) {
  for (const ConvGeometry& g : {square(1, 6, 32, 5, 0), square(6, 16, 14, 5, 2), square(16, 120, 5, 5, 0)}) {
    SCOPED_TRACE(describe(g, 50));
    const LanesConvRun one(g, 50, true, 3, 1);
    for (const int threads : {2, 4}) {
      const LanesConvRun several(g, 50, true, 3, threads);
      EXPECT_EQ(one.output, several.output);
      EXPECT_EQ(one.d_input, several.d_input);
      EXPECT_EQ(one.d_weight, several.d_weight);
      EXPECT_EQ(one.d_bias, several.d_bias);
    }
  }
}

TEST(LanesDense, EqualsTheDefinition) {
  for (const auto& [in, out] : {std::pair{1, 1}, {3, 7}, {16, 10}, {120, 84}, {401, 5}}) {
    for (const int batch : kLaneBatches) check(square(in, out, 1, 1, 0), batch, out != 7, static_cast<unsigned>(in));
  }
}

}  // namespace cnn::tests
