// conv against the definition, over shapes that catch edges.
#include "cnn/ops/conv/fast.hpp"

#include "reference.hpp"

namespace cnn::tests {

namespace {

std::string describe(const ConvGeometry& g, int batch) {
  std::string text = "conv";
  for (const int value : {g.in_channels, g.in_height, g.in_width, g.out_channels, g.kernel_height,
                          g.kernel_width, g.stride_height, g.stride_width, g.pad_top, g.pad_left,
                          g.dilation_height, g.dilation_width, g.groups, g.block, batch}) {
    text.append(" ").append(std::to_string(value));
  }
  return text;
}

// The kernels of a program: strict ones, or those of cnn::fast, which are others where the processor multiplies tiles of bf16 numbers.
struct ConvKernels {
  ScratchSize (*scratch)(const ConvGeometry&, int);
  ScratchSize (*backward_input_scratch)(const ConvGeometry&, int);
  ScratchSize (*backward_params_scratch)(const ConvGeometry&, int);
  void (*forward)(Blocked, const Loaded&, const ConvWeights&, const Epilogue&, const ConvGeometry&, int, const Scratch&);
  void (*backward_input)(const Result&, ConstBlocked, ConstFloats, const ConvGeometry&, int, const Scratch&);
  void (*backward_params)(Floats, ConstBlocked, const Loaded&, const ConvGeometry&, int, const Scratch&);
  void (*backward_params_and_bias)(Floats, Floats, ConstBlocked, const Loaded&, const ConvGeometry&, int, const Scratch&);
  double tolerance;
};
constexpr ConvKernels kStrict{conv_scratch, conv_backward_input_scratch, conv_backward_params_scratch, conv, conv_backward_input,
                              conv_backward_params, conv_backward_params, 2e-6};
constexpr ConvKernels kFast{fast::conv_scratch, fast::conv_backward_input_scratch, fast::conv_backward_params_scratch, fast::conv,
                            fast::conv_backward_input, fast::conv_backward_params, fast::conv_backward_params, 2e-5};

// One convolution's operands and all that its kernels make of them.
struct ConvRun {
  const ConvKernels& kernels;
  ConvGeometry g;
  int batch;
  Doubles input, weight, bias, d_output;
  Doubles output, d_input, d_weight, d_bias;

  ConvRun(const ConvKernels& kernels, const ConvGeometry& geometry, int batch, bool biased, unsigned seed, int threads = 1)
      : kernels(kernels), g(geometry), batch(batch) {
    Numbers numbers(seed);
    const MapGeometry in{g.in_channels, g.in_height, g.in_width, g.block};
    const MapGeometry out{g.out_channels, g.out_height, g.out_width, g.block};
    input = numbers.uniform(static_cast<std::size_t>(in.elements() * batch));
    weight = numbers.uniform(static_cast<std::size_t>(g.out_channels * g.depth()));
    if (biased) bias = numbers.uniform(static_cast<std::size_t>(g.out_channels));
    d_output = numbers.uniform(static_cast<std::size_t>(out.elements() * batch));
    run(in, out, threads);
  }

  void run(const MapGeometry& in, const MapGeometry& out, int threads) {
    const Map x(in, batch, input);
    const Map dy(out, batch, d_output);
    Map y(out, batch);
    Map dx(in, batch);
    const std::vector<float> w = floats(weight);
    const std::vector<float> b = floats(bias);
    std::vector<float> dw = unwritten(w.size());
    std::vector<float> db = unwritten(b.size());
    const TestScratch forward(kernels.scratch(g, batch), threads);
    const TestScratch backward_input(kernels.backward_input_scratch(g, batch), threads);
    const TestScratch backward_params(kernels.backward_params_scratch(g, batch), threads);
    on_team(
        [&] {
          if (bias.empty()) {
            kernels.forward(y, x, w, {}, g, batch, forward);
            kernels.backward_params(dw, dy, x, g, batch, backward_params);
          } else {
            kernels.forward(y, x, w, Epilogue().with_bias(b), g, batch, forward);
            kernels.backward_params_and_bias(dw, db, dy, x, g, batch, backward_params);
          }
          kernels.backward_input(dx, dy, w, g, batch, backward_input);
        },
        threads);
    EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    output = y.values();
    d_input = dx.values();
    d_weight = doubles(dw);
    d_bias = doubles(db);
  }
};

void check(const ConvGeometry& g, int batch, bool biased, unsigned seed, const ConvKernels& kernels = kStrict) {
  SCOPED_TRACE(describe(g, batch));
  const ConvRun run(kernels, g, batch, biased, seed);
  expect_close(run.output, reference::conv(run.input, run.weight, run.bias, g, batch), kernels.tolerance, "output", 1);
  expect_close(run.d_input, reference::conv_backward_input(run.d_output, run.weight, g, batch), kernels.tolerance,
               "d_input", 1);
  expect_close(run.d_weight, reference::conv_backward_weight(run.d_output, run.input, g, batch), 2 * kernels.tolerance,
               "d_weight", 1);
  if (!biased) return;
  expect_close(run.d_bias,
               reference::channel_sums(run.d_output, g.out_channels, g.out_height * g.out_width, batch), 2e-6,
               "d_bias", 1);
}

struct Kernel {
  int height, width;
};
struct Channels {
  int in, out, groups;
};

// All strides, paddings up to more than half the kernel, and dilations of a kernel on a map.
int check_windows(int height, int width, const Kernel& kernel, const Channels& channels,
                  const Batching& batching, const ConvKernels& kernels) {
  int checked = 0;
  for (int stride = 1; stride <= 3; ++stride) {
    for (const int pad : {0, 1, kernel.height / 2 + 1}) {
      for (int dilation = 1; dilation <= 2; ++dilation) {
        ConvGeometry g;
        g.in_channels = channels.in, g.in_height = height, g.in_width = width;
        g.out_channels = channels.out, g.groups = channels.groups;
        g.kernel_height = kernel.height, g.kernel_width = kernel.width;
        g.stride_height = stride, g.stride_width = stride == 3 ? 1 : stride;
        g.pad_top = pad, g.pad_left = pad == 1 ? 0 : pad;
        g.dilation_height = dilation, g.dilation_width = stride == 2 ? 1 : dilation;
        g.block = batching.block;
        if (!reference::complete(g)) continue;
        check(g, batching.batch, stride != 2, static_cast<unsigned>(checked++), kernels);
        if (testing::Test::HasFatalFailure()) return checked;
      }
    }
  }
  return checked;
}

void sweep(const Channels& channels, const ConvKernels& kernels = kStrict) {
  int checked = 0;
  for (const int height : {1, 3, 7, 13}) {
    for (const int width : {1, 3, 7, 13}) {
      for (const Kernel kernel : {Kernel{1, 1}, Kernel{3, 3}, Kernel{2, 3}, Kernel{5, 1}}) {
        for (const Batching& batching : kBatchings) {
          if (&kernels == &kFast && batching.block > 1) continue;  // the strict ones' business
          checked += check_windows(height, width, kernel, channels, batching, kernels);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(checked, &kernels == &kFast ? 300 : 1000);
}

ConvGeometry square(int in, int out, int size, int kernel, int pad, int block) {
  ConvGeometry g;
  g.in_channels = in, g.in_height = g.in_width = size;
  g.out_channels = out, g.kernel_height = g.kernel_width = kernel;
  g.pad_top = g.pad_left = pad, g.block = block;
  EXPECT_TRUE(reference::complete(g));
  return g;
}

}  // namespace

TEST(Conv, EqualsTheDefinition) {
  sweep({3, 4, 1});
}
TEST(Conv, EqualsTheDefinitionInGroups) {
  sweep({4, 6, 2});
}
TEST(Conv, EqualsTheDefinitionDepthwise) {
  sweep({3, 3, 3});
}
TEST(Conv, EqualsTheDefinitionDepthwiseWithAMultiplier) {
  sweep({2, 4, 2});
}
TEST(Conv, EqualsTheDefinitionFromOneChannelToOne) {
  sweep({1, 1, 1});
}

TEST(Conv, EqualsTheDefinitionInFastPrograms) {
  sweep({3, 4, 1}, kFast);
  sweep({33, 17, 1}, kFast);
}

TEST(Conv, EqualsTheDefinitionInFastProgramsOverSeveralTasks) {
  check(square(40, 24, 30, 3, 1, 1), 9, true, 3, kFast);     // an image each
  check(square(64, 12, 100, 3, 1, 1), 1, true, 4, kFast);    // bands of one image
  check(square(300, 520, 7, 1, 0, 1), 3, false, 5, kFast);   // rows in parts, planes shared
  check(square(300, 20, 7, 3, 1, 1), 26, true, 6, kFast);    // several images a task
  check(square(2, 3, 300, 3, 1, 1), 2, false, 7, kFast);     // taps as channels
  check(square(1, 40, 60, 16, 7, 1), 2, false, 8, kFast);    // as many taps as there may be
  check(square(3, 5, 40, 17, 8, 1), 2, false, 9, kFast);     // and one more
  check(square(90, 270, 9, 1, 0, 1), 17, true, 10, kFast);  // weights' gradients in several chunks and slots
  check(square(280, 270, 5, 3, 1, 1), 3, true, 11, kFast);
}

TEST(Conv, EqualsTheDefinitionOverSeveralTiles) {
  check(square(6, 16, 14, 5, 0, 8), 21, true, 1);   // LeNet-5's c3: tiles that span images
  check(square(16, 120, 5, 5, 0, 8), 13, true, 2);  // its c5: an output of one pixel, two chunks
  check(square(40, 24, 30, 3, 1, 2), 3, true, 3);   // two chunks of channels, several tiles an image
  check(square(300, 20, 33, 1, 0, 4), 6, true, 4);  // 1x1, two chunks, tiles of columns
  check(square(2, 3, 300, 3, 1, 1), 2, false, 5);   // rows as long as they come
  check(square(900, 4, 5, 3, 1, 1), 1, false, 6);   // deeper than a tile has columns
}

TEST(Conv, EqualsTheDefinitionOnWideMaps) {  // whose taps share what they load
  int checked = 0;
  for (const int width : {50, 111}) {
    for (const Kernel kernel : {Kernel{3, 3}, Kernel{1, 7}, Kernel{6, 5}}) {
      for (const Channels& channels : {Channels{3, 4, 1}, Channels{4, 6, 2}}) {
        for (const Batching& batching : {Batching{1, 1}, Batching{3, 2}}) {
          checked += check_windows(8, width, kernel, channels, batching, kStrict);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(checked, 100);
  for (int stride = 3; stride <= 5; ++stride) {
    ConvGeometry g = square(3, 8, 243, 11, 5, 1);
    g.stride_height = g.stride_width = stride;
    ASSERT_TRUE(reference::complete(g));
    check(g, 2, false, static_cast<unsigned>(stride), kStrict);
  }
  ConvGeometry far = square(2, 3, 200, 3, 40, 1);  // whole strips beside the map
  far.dilation_height = far.dilation_width = 40;
  ASSERT_TRUE(reference::complete(far));
  check(far, 1, true, 6, kStrict);
}

TEST(Conv, GradientsEqualCentralDifferences) {
  ConvGeometry g;
  g.in_channels = 4, g.in_height = 5, g.in_width = 6, g.out_channels = 6, g.groups = 2;
  g.kernel_height = 3, g.kernel_width = 2, g.stride_height = 2, g.pad_top = 1, g.pad_left = 1,
  g.dilation_width = 2;
  g.block = 2;
  ASSERT_TRUE(reference::complete(g));
  const ConvRun run(kStrict, g, 3, true, 7);
  expect_gradient([&](const Doubles& x) { return reference::conv(x, run.weight, run.bias, g, 3); }, run.input,
                  run.d_output, run.d_input, "d_input");
  expect_gradient([&](const Doubles& w) { return reference::conv(run.input, w, run.bias, g, 3); }, run.weight,
                  run.d_output, run.d_weight, "d_weight");
  expect_gradient([&](const Doubles& b) { return reference::conv(run.input, run.weight, b, g, 3); }, run.bias,
                  run.d_output, run.d_bias, "d_bias");
}

}  // namespace cnn::tests
