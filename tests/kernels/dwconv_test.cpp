// dwconv against the definition of a convolution whose groups are single channels.
#include "cnn/ops/dwconv.hpp"

#include "reference.hpp"

namespace cnn::tests {

namespace {

// One depthwise convolution's operands and all that its kernels make of them.
struct DwconvRun {
  Doubles input, weight, bias, d_output;
  Doubles output, d_input, d_weight, d_bias;

  DwconvRun(const ConvGeometry& g, int batch, bool biased) {
    Numbers numbers(31);
    const MapGeometry in{g.in_channels, g.in_height, g.in_width, g.block};
    const MapGeometry out{g.out_channels, g.out_height, g.out_width, g.block};
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
    on_team([&] {
      if (biased) {
        dwconv(y, x, w, b, g, batch);
        dwconv_backward_params(dw, db, dy, x, g, batch);
      } else {
        dwconv(y, x, w, g, batch);
        dwconv_backward_params(dw, dy, x, g, batch);
      }
      dwconv_backward_input(dx, dy, w, g, batch);
    });
    EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    output = y.values();
    d_input = dx.values();
    d_weight = doubles(dw);
    d_bias = doubles(db);
  }
};

void check(const ConvGeometry& g, int batch, bool biased) {
  SCOPED_TRACE(testing::Message() << g.in_channels << "x" << g.in_height << "x" << g.in_width << " kernel "
                                  << g.kernel_height << "x" << g.kernel_width << " stride " << g.stride_height
                                  << "x" << g.stride_width << " pad " << g.pad_top << " " << g.pad_left
                                  << " dilation " << g.dilation_height << "x" << g.dilation_width << " NB "
                                  << g.block << " batch " << batch);
  const DwconvRun run(g, batch, biased);
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

ConvGeometry depthwise(int channels, int height, int width, int kernel_height, int kernel_width, int block) {
  ConvGeometry g;
  g.in_channels = g.out_channels = g.groups = channels;
  g.in_height = height, g.in_width = width, g.block = block;
  g.kernel_height = kernel_height, g.kernel_width = kernel_width;
  return g;
}

// All strides, paddings up to more than half the kernel, and dilations of a geometry's kernel on its map.
int check_windows(ConvGeometry g, int batch) {
  int checked = 0;
  for (int stride = 1; stride <= 3; ++stride) {
    for (const int pad : {0, 1, g.kernel_height / 2 + 1}) {
      for (int dilation = 1; dilation <= 2; ++dilation) {
        g.stride_height = stride, g.stride_width = stride == 3 ? 1 : stride;
        g.pad_top = pad, g.pad_left = pad == 1 && stride == 3 ? 0 : pad;
        g.dilation_height = dilation, g.dilation_width = stride == 2 ? 1 : dilation;
        if (!reference::complete(g)) continue;
        check(g, batch, stride != 2);
        ++checked;
        if (testing::Test::HasFatalFailure()) return checked;
      }
    }
  }
  return checked;
}

ConvGeometry square(int channels, int size, int kernel, int stride, int pad, int block) {
  ConvGeometry g = depthwise(channels, size, size, kernel, kernel, block);
  g.stride_height = g.stride_width = stride;
  g.pad_top = g.pad_left = pad;
  EXPECT_TRUE(reference::complete(g));
  return g;
}

}  // namespace

TEST(Dwconv, EqualsTheDefinition) {
  int checked = 0;
  for (const int height : {1, 3, 7, 13}) {
    for (const int width : {1, 3, 7, 13}) {
      for (const auto& [kernel_height, kernel_width] : {std::pair{1, 1}, {3, 3}, {5, 5}, {2, 3}, {5, 1}}) {
        for (const Batching& batching : kBatchings) {
          checked += check_windows(depthwise(3, height, width, kernel_height, kernel_width, batching.block),
                                   batching.batch);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(checked, 1000);
}

TEST(Dwconv, EqualsTheDefinitionOverSeveralStrips) {
  check(square(2, 112, 3, 1, 1, 1), 3, true);
  check(square(2, 112, 3, 2, 1, 2), 3, false);
  check(square(3, 97, 5, 1, 2, 2), 3, true);
  check(square(3, 97, 5, 2, 2, 1), 2, true);
  check(square(2, 60, 7, 3, 3, 2), 3, true);
  check(square(70, 7, 3, 1, 1, 8), 13, true);
}

TEST(Dwconv, AsymmetricPaddingFollowsFromTheOutputsSize) {
  for (const int stride : {1, 2}) {
    ConvGeometry g = square(3, 14, 3, stride, 0, 4);
    g.out_height = g.out_width = (14 + 2 - 3) / stride + 1;  // as padding 0 above and left, 2 below and right
    check(g, 5, true);
  }
}

TEST(Dwconv, WindowsLargerThanTheBufferAreRight) {
  check(square(2, 17, 13, 1, 7, 2), 3, true);  // more taps than are kept
  check(square(2, 30, 3, 9, 1, 1), 2, true);   // a stride with more remainders than are kept
  ConvGeometry wide = depthwise(2, 3, 4000, 3, 3, 1);
  wide.pad_top = wide.pad_left = 1;
  for (const int stride : {1, 2, 3}) {
    wide.stride_width = stride;
    ASSERT_TRUE(reference::complete(wide));
    check(wide, 2, true);
  }
  ConvGeometry sparse = square(2, 90, 3, 1, 40, 1);
  sparse.dilation_height = sparse.dilation_width = 40;
  ASSERT_TRUE(reference::complete(sparse));
  check(sparse, 2, false);
}

TEST(Dwconv, GradientsEqualCentralDifferences) {
  for (const int stride : {1, 2}) {
    ConvGeometry g = depthwise(3, 6, 9, 3, 2, 2);
    g.stride_height = stride, g.stride_width = 3 - stride, g.pad_top = g.pad_left = 1, g.dilation_width = 2;
    ASSERT_TRUE(reference::complete(g));
    const DwconvRun run(g, 3, true);
    expect_gradient([&](const Doubles& x) { return reference::conv(x, run.weight, run.bias, g, 3); },
                    run.input, run.d_output, run.d_input, "d_input");
    expect_gradient([&](const Doubles& w) { return reference::conv(run.input, w, run.bias, g, 3); },
                    run.weight, run.d_output, run.d_weight, "d_weight");
    expect_gradient([&](const Doubles& b) { return reference::conv(run.input, run.weight, b, g, 3); },
                    run.bias, run.d_output, run.d_bias, "d_bias");
  }
}

}  // namespace cnn::tests
