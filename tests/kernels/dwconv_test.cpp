// dwconv against convolution in groups of one channel, over shapes that catch edges.
#include "cnn/ops/dwconv.hpp"

#include "reference.hpp"

namespace cnn::tests {

namespace {

std::string describe(const ConvGeometry& g, int batch) {
  std::string text = "dwconv";
  for (const int value : {g.in_channels, g.in_height, g.in_width, g.out_channels, g.kernel_height,
                          g.kernel_width, g.stride_height, g.stride_width, g.pad_top, g.pad_left,
                          g.dilation_height, g.dilation_width, g.block, batch}) {
    text.append(" ").append(std::to_string(value));
  }
  return text;
}

// One convolution's operands and all that its kernels make of them.
struct DepthwiseRun {
  Doubles input, weight, bias, d_output;
  Doubles output, d_input, d_weight, d_bias;

  DepthwiseRun(const ConvGeometry& g, int batch, bool biased, unsigned seed, int threads = 1) {
    Numbers numbers(seed);
    const MapGeometry in{g.in_channels, g.in_height, g.in_width, g.block};
    const MapGeometry out{g.out_channels, g.out_height, g.out_width, g.block};
    input = numbers.uniform(static_cast<std::size_t>(in.elements() * batch));
    weight = numbers.uniform(static_cast<std::size_t>(g.out_channels * g.taps()));
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
    const TestScratch scratch(dwconv_scratch(g, batch), threads);
    const TestScratch backward(dwconv_scratch(g, batch), threads);
    on_team(
        [&] {
          if (bias.empty()) {
            dwconv(y, ConstBlocked(x), w, Epilogue(), g, batch, scratch);
            dwconv_backward_params(dw, dy, ConstBlocked(x), g, batch, backward);
          } else {
            dwconv(y, ConstBlocked(x), w, Epilogue().with_bias(b), g, batch, scratch);
            dwconv_backward_params(dw, db, dy, ConstBlocked(x), g, batch, backward);
          }
          dwconv_backward_input(dx, dy, w, g, batch, scratch);
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
  const DepthwiseRun run(g, batch, biased, seed);
  expect_close(run.output, reference::conv(run.input, run.weight, run.bias, g, batch), 2e-6, "output", 1);
  expect_close(run.d_input, reference::conv_backward_input(run.d_output, run.weight, g, batch), 2e-6,
               "d_input", 1);
  expect_close(run.d_weight, reference::conv_backward_weight(run.d_output, run.input, g, batch), 4e-6,
               "d_weight", 1);
  if (!biased) return;
  expect_close(run.d_bias,
               reference::channel_sums(run.d_output, g.out_channels, g.out_height * g.out_width, batch), 2e-6,
               "d_bias", 1);
}

ConvGeometry depthwise(int channels, int multiplier, int height, int width, int kernel_height,
                       int kernel_width) {
  ConvGeometry g;
  g.in_channels = g.groups = channels, g.out_channels = channels * multiplier;
  g.in_height = height, g.in_width = width;
  g.kernel_height = kernel_height, g.kernel_width = kernel_width;
  return g;
}

// All strides, paddings up to more than the kernel's half, and dilations; returns how many had an output.
int check_windows(const ConvGeometry& shape, const Batching& batching) {
  int checked = 0;
  for (int stride = 1; stride <= 3; ++stride) {
    for (const int pad : {0, 1, shape.kernel_height / 2 + 1}) {
      for (int dilation = 1; dilation <= 2; ++dilation) {
        ConvGeometry g = shape;
        g.stride_height = stride, g.stride_width = stride == 3 ? 1 : stride;
        g.pad_top = pad, g.pad_left = pad == 1 ? 0 : pad;
        g.dilation_height = dilation, g.dilation_width = stride == 2 ? 1 : dilation;
        g.block = batching.block;
        if (!reference::complete(g)) continue;
        check(g, batching.batch, stride != 2, static_cast<unsigned>(checked++));
        if (testing::Test::HasFatalFailure()) return checked;
      }
    }
  }
  return checked;
}

void sweep(int channels, int multiplier) {
  int checked = 0;
  for (const int height : {1, 3, 7, 13}) {
    for (const int width : {1, 3, 7, 13}) {
      for (const auto& [kernel_height, kernel_width] : {std::pair{1, 1}, {3, 3}, {2, 3}, {5, 5}, {7, 1}}) {
        for (const Batching& batching : {Batching{1, 1}, {5, 2}, {5, 4}, {1, 4}}) {
          checked += check_windows(
              depthwise(channels, multiplier, height, width, kernel_height, kernel_width), batching);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(checked, 1000);
}

}  // namespace

TEST(Dwconv, EqualsTheDefinition) {
  sweep(3, 1);
}
TEST(Dwconv, EqualsTheDefinitionWithAMultiplier) {
  sweep(2, 3);
}

TEST(Dwconv, EqualsTheDefinitionOnWideMaps) {
  for (const int stride : {1, 2}) {
    for (const int kernel : {3, 5}) {
      ConvGeometry g = depthwise(2, 1, 61, 75, kernel, kernel);
      g.pad_top = g.pad_left = kernel / 2, g.stride_height = g.stride_width = stride, g.block = 2;
      ASSERT_TRUE(reference::complete(g));
      check(g, 3, true, 40);
    }
  }
}

// TensorFlow's padding: an output that needs more behind the input than before it.
TEST(Dwconv, EqualsTheDefinitionWithMorePaddingBehind) {
  ConvGeometry g = depthwise(3, 1, 8, 6, 3, 3);
  g.stride_height = g.stride_width = 2, g.out_height = 4, g.out_width = 3, g.block = 2;
  check(g, 3, true, 41);
}

TEST(Dwconv, GradientsEqualCentralDifferences) {
  ConvGeometry g = depthwise(3, 2, 6, 5, 3, 2);
  g.stride_height = 2, g.pad_top = g.pad_left = 1, g.dilation_width = 2, g.block = 2;
  ASSERT_TRUE(reference::complete(g));
  const DepthwiseRun run(g, 3, true, 42);
  expect_gradient([&](const Doubles& x) { return reference::conv(x, run.weight, run.bias, g, 3); }, run.input,
                  run.d_output, run.d_input, "d_input");
  expect_gradient([&](const Doubles& w) { return reference::conv(run.input, w, run.bias, g, 3); }, run.weight,
                  run.d_output, run.d_weight, "d_weight");
  expect_gradient([&](const Doubles& b) { return reference::conv(run.input, run.weight, b, g, 3); }, run.bias,
                  run.d_output, run.d_bias, "d_bias");
}

// The input scaled, shifted and cut off as it is loaded; the sums scaled, shifted, added to and cut off before they are stored.
TEST(Dwconv, DoesOnTheWayWhatStandsAroundIt) {
  constexpr int kBatch = 3;
  for (const int stride : {1, 2}) {
    ConvGeometry g = depthwise(4, 2, 9, 11, 3, 3);
    g.pad_top = g.pad_left = 1, g.stride_height = g.stride_width = stride, g.block = 2;
    ASSERT_TRUE(reference::complete(g));
    const MapGeometry in{g.in_channels, g.in_height, g.in_width, g.block};
    const MapGeometry out{g.out_channels, g.out_height, g.out_width, g.block};
    Numbers numbers(44);
    const auto draw = [&](int count) { return numbers.uniform(static_cast<std::size_t>(count)); };
    const Doubles input = draw(in.elements() * kBatch), addend = draw(out.elements() * kBatch);
    const Doubles d_output = draw(out.elements() * kBatch), weight = draw(g.out_channels * g.taps()), bias = draw(g.out_channels);
    const Doubles load = draw(2 * g.in_channels), affine = draw(2 * g.out_channels);
    Doubles loaded = input;
    for (std::size_t i = 0; i < loaded.size(); ++i) {
      const std::size_t channel = i / static_cast<std::size_t>(in.pixels()) % static_cast<std::size_t>(g.in_channels);
      loaded[i] = std::max(0.0, loaded[i] * load[channel] + load[static_cast<std::size_t>(g.in_channels) + channel]);
    }
    Doubles expected = reference::conv(loaded, weight, bias, g, kBatch);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::size_t channel = i / static_cast<std::size_t>(out.pixels()) % static_cast<std::size_t>(g.out_channels);
      expected[i] = expected[i] * affine[channel] + affine[static_cast<std::size_t>(g.out_channels) + channel] + addend[i];
      expected[i] = std::clamp(expected[i], 0.0, 6.0);
    }
    const Map x(in, kBatch, input), plus(out, kBatch, addend), dy(out, kBatch, d_output);
    Map y(out, kBatch);
    const std::vector<float> w = floats(weight), b = floats(bias), before = floats(load), behind = floats(affine);
    std::vector<float> dw = unwritten(w.size());
    const TestScratch scratch(dwconv_scratch(g, kBatch), 1);
    on_team([&] {
      const Loaded source(ConstBlocked(x), before, Activation::kRelu);
      dwconv(y, source, w, Epilogue().with_bias(b).scaled(behind).plus(plus).then(Activation::kRelu6), g, kBatch, scratch);
      dwconv_backward_params(dw, dy, source, g, kBatch, scratch);
    });
    expect_close(y.values(), expected, 2e-6, "output", 1);
    expect_close(doubles(dw), reference::conv_backward_weight(d_output, loaded, g, kBatch), 4e-6, "d_weight", 1);
  }
}

TEST(Dwconv, GivesTheSameBitsOnAnyNumberOfThreads) {
  ConvGeometry g = depthwise(24, 2, 30, 29, 3, 3);
  g.pad_top = g.pad_left = 1, g.stride_height = g.stride_width = 2, g.block = 4;
  ASSERT_TRUE(reference::complete(g));
  const DepthwiseRun one(g, 7, true, 43);
  for (const int threads : {2, 3, 5}) {
    const DepthwiseRun more(g, 7, true, 43, threads);
    EXPECT_EQ(one.output, more.output);
    EXPECT_EQ(one.d_input, more.d_input);
    EXPECT_EQ(one.d_weight, more.d_weight);
    EXPECT_EQ(one.d_bias, more.d_bias);
  }
}

}  // namespace cnn::tests
