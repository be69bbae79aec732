// Depthwise separable convolutions and inverted residuals against their convolutions one by one, in double.
#include "cnn/ops/separable.hpp"

#include <cstring>

#include "reference.hpp"

namespace cnn::tests {

namespace {

SeparableGeometry geometry(int in, int hidden, int out, int height, int width, int stride, bool expands) {
  SeparableGeometry g{.in_channels = in, .in_height = height, .in_width = width, .hidden_channels = hidden,
                      .hidden_height = height, .hidden_width = width, .out_channels = out,
                      .kernel_height = 3, .kernel_width = 3, .stride_height = stride, .stride_width = stride, .pad_top = 1, .pad_left = 1,
                      .expands = expands};
  ConvGeometry depthwise = g.depthwise();
  EXPECT_TRUE(reference::complete(depthwise));
  g.out_height = depthwise.out_height;
  g.out_width = depthwise.out_width;
  return g;
}

// What a part's sums become, in double.
struct PartEpilogue {
  Doubles bias, affine;
  Activation activation = Activation::kNone;

  PartEpilogue(Numbers& numbers, int channels, bool biased, Activation activation) : activation(activation) {
    if (biased) bias = numbers.uniform(static_cast<std::size_t>(channels));
    affine = numbers.uniform(static_cast<std::size_t>(2 * channels), 0.5, 1.5);
  }

  Doubles applied(Doubles sums, int channels, int pixels) const {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::size_t channel = i / static_cast<std::size_t>(pixels) % static_cast<std::size_t>(channels);
      const double sum = sums[i] + (bias.empty() ? 0 : bias[channel]);
      sums[i] = std::clamp<double>(sum * affine[channel] + affine[channel + static_cast<std::size_t>(channels)], least_of(activation),
                                   most_of(activation));
    }
    return sums;
  }
};

// One call's operands, and its output.
struct SeparableRun {
  Doubles output, expected;
  MapBuffer bytes;

  SeparableRun(const SeparableGeometry& g, int batch, bool prepare, bool residual, int threads = 1) {
    Numbers numbers(7);
    const MapGeometry in{g.in_channels, g.in_height, g.in_width}, out{g.out_channels, g.out_height, g.out_width};
    const auto uniform = [&](int count) { return numbers.uniform(static_cast<std::size_t>(count)); };
    const Doubles input = uniform(in.elements() * batch), addend = uniform(out.elements() * batch);
    const Doubles w1 = uniform(g.hidden_channels * g.depth()), w2 = uniform(g.hidden_channels * g.kernel_height * g.kernel_width),
                  w3 = uniform(g.out_channels * g.hidden_channels), input_affine = numbers.uniform(static_cast<std::size_t>(2 * g.in_channels), 0.5, 1.5);
    const PartEpilogue first(numbers, g.hidden_channels, true, Activation::kRelu), second(numbers, g.hidden_channels, !residual, Activation::kRelu6),
        third(numbers, g.out_channels, residual, Activation::kNone);
    const auto one = [](const PartEpilogue& epilogue, std::vector<float>& bias, std::vector<float>& affine) {
      bias = floats(epilogue.bias);
      affine = floats(epilogue.affine);
      const Epilogue result = Epilogue().scaled(affine).then(epilogue.activation);
      return bias.empty() ? result : result.with_bias(bias);
    };
    std::vector<float> biases[3], affines[3];
    const Epilogue epilogue1 = one(first, biases[0], affines[0]), epilogue2 = one(second, biases[1], affines[1]);
    Epilogue epilogue3 = one(third, biases[2], affines[2]);
    const Map x(in, batch, input), a(out, batch, addend);
    if (residual) epilogue3 = epilogue3.plus(a);
    Map y(out, batch);
    const std::vector<float> f1 = floats(w1), f2 = floats(w2), f3 = floats(w3), in_affine = floats(input_affine);
    std::vector<float> p1 = unwritten(conv_prepared_floats(g.expansion())), p3 = unwritten(conv_prepared_floats(g.projection()));
    // A residual block's input is a map; elsewhere what is loaded may be a bn's.
    const Loaded loaded = residual ? Loaded(ConstBlocked(x)) : Loaded(x, in_affine, Activation::kRelu);
    const TestScratch scratch(prepare ? separable_prepared_scratch(g, batch) : separable_scratch(g, batch), threads);
    on_team(
        [&] {
          if (prepare && g.expands) conv_prepare(p1, f1, g.expansion());
          if (prepare) conv_prepare(p3, f3, g.projection());
          const SeparablePart expansion{prepare ? prepared(p1) : ConvWeights(f1), epilogue1}, depthwise{f2, epilogue2},
              projection{prepare ? prepared(p3) : ConvWeights(f3), epilogue3};
          if (g.expands) {
            inverted_residual(y, loaded, expansion, depthwise, projection, g, batch, scratch);
          } else {
            separable(y, loaded, depthwise, projection, g, batch, scratch);
          }
        },
        threads);
    EXPECT_TRUE(y.surroundings_intact());
    output = y.values();
    bytes = y.buffer();

    Doubles map = input;
    if (!residual) {
      PartEpilogue load = first;
      load.bias.clear();
      load.affine = input_affine;
      map = load.applied(map, g.in_channels, in.pixels());
    }
    if (g.expands) map = first.applied(reference::conv(map, w1, {}, g.expansion(), batch), g.hidden_channels, g.hidden_height * g.hidden_width);
    map = second.applied(reference::conv(map, w2, {}, g.depthwise(), batch), g.hidden_channels, out.pixels());
    expected = third.applied(reference::conv(map, w3, {}, g.projection(), batch), g.out_channels, out.pixels());
    for (std::size_t i = 0; residual && i < expected.size(); ++i) expected[i] += addend[i];
  }
};

struct SeparableCase {
  std::string name;
  SeparableGeometry geometry;
  int batch;
};

class Separable : public testing::TestWithParam<SeparableCase> {};

TEST_P(Separable, IsItsConvolutionsOneByOne) {
  const auto& [name, g, batch] = GetParam();
  for (const bool prepare : {true, false}) {
    for (const bool residual : {true, false}) {
      SCOPED_TRACE(prepare ? residual ? "prepared, with an addend" : "prepared" : residual ? "with an addend" : "plain");
      const SeparableRun run(g, batch, prepare, residual);
      expect_close(run.output, run.expected, 2e-6, "output");
    }
  }
}

TEST_P(Separable, GivesTheSameBitsOnAnyNumberOfThreads) {
  const auto& [name, g, batch] = GetParam();
  const SeparableRun one(g, batch, true, true, 1);
  for (const int threads : {2, 4}) {
    const SeparableRun more(g, batch, true, true, threads);
    EXPECT_EQ(std::memcmp(more.bytes.data(), one.bytes.data(), one.bytes.size() * sizeof(float)), 0) << threads << " threads";
  }
}

// Programs plan for their largest batch, and run smaller ones.
TEST_P(Separable, SmallerBatchesNeedNoMoreScratch) {
  const SeparableGeometry& g = GetParam().geometry;
  ScratchSize before;
  for (int batch = 1; batch <= 70; ++batch) {
    const ScratchSize size = separable_scratch(g, batch);
    EXPECT_GE(size.per_thread, before.per_thread) << batch << " images";
    EXPECT_GE(size.shared, before.shared) << batch << " images";
    before = size;
  }
}

SeparableGeometry changed(SeparableGeometry g, int kernel_width, int pad_top, int pad_left, int dilation) {
  g.kernel_width = kernel_width;
  g.pad_top = pad_top;
  g.pad_left = pad_left;
  g.dilation_height = g.dilation_width = dilation;
  ConvGeometry depthwise = g.depthwise();
  EXPECT_TRUE(reference::complete(depthwise));
  g.out_height = depthwise.out_height;
  g.out_width = depthwise.out_width;
  return g;
}

// With another expansion than 1x1: of 3x5, stride 2, and what of the depthwise convolution follows.
SeparableGeometry stem(SeparableGeometry g) {
  g.expansion_kernel_height = 3;
  g.expansion_kernel_width = 5;
  g.expansion_stride_height = g.expansion_stride_width = 2;
  g.expansion_pad_top = 1;
  g.expansion_pad_left = 2;
  ConvGeometry expansion = g.expansion();
  EXPECT_TRUE(reference::complete(expansion));
  g.hidden_height = expansion.out_height;
  g.hidden_width = expansion.out_width;
  return changed(g, g.kernel_width, g.pad_top, g.pad_left, g.dilation_height);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Separable,
    testing::Values(
        SeparableCase{"Bands", geometry(7, 40, 13, 56, 56, 1, true), 2},
        SeparableCase{"BandsOfStrideTwo", geometry(5, 24, 9, 75, 61, 2, true), 2},
        SeparableCase{"BandsWithoutExpansion", geometry(20, 20, 13, 57, 63, 1, false), 3},
        SeparableCase{"ImagesTogether", geometry(16, 100, 20, 14, 14, 1, true), 17},
        SeparableCase{"ImagesOfStrideTwo", geometry(12, 70, 31, 14, 14, 2, true), 33},
        SeparableCase{"FewImages", geometry(160, 300, 50, 7, 7, 1, true), 3},
        SeparableCase{"OneImage", geometry(33, 125, 17, 14, 14, 1, true), 1},
        SeparableCase{"OneImageWithoutExpansion", geometry(129, 129, 17, 9, 11, 2, false), 1},
        SeparableCase{"ManyHidden", geometry(96, 576, 96, 14, 14, 1, true), 4},
        SeparableCase{"OnePixel", geometry(3, 9, 4, 1, 1, 1, true), 5},
        SeparableCase{"OneColumn", geometry(3, 9, 4, 30, 1, 1, true), 5},
        SeparableCase{"OneRow", geometry(3, 9, 4, 1, 900, 2, true), 2},
        SeparableCase{"BandsOfPhases", geometry(5, 24, 9, 76, 62, 2, true), 2},
        SeparableCase{"OneImageOfPhases", geometry(40, 130, 9, 14, 14, 2, true), 1},
        SeparableCase{"TwoByTwo", geometry(4, 10, 6, 2, 2, 2, true), 9},
        SeparableCase{"Stem", stem(geometry(3, 32, 16, 112, 112, 1, true)), 2},
        SeparableCase{"StemOfStrideTwo", stem(geometry(3, 20, 9, 75, 87, 2, true)), 3},
        SeparableCase{"StemOfSmallImages", stem(geometry(5, 20, 9, 17, 14, 1, true)), 19},
        SeparableCase{"StemOfPhases", stem(geometry(3, 20, 9, 72, 80, 2, true)), 3},
        SeparableCase{"LastRowsUnread", changed(geometry(4, 10, 6, 8, 9, 2, true), 1, 0, 0, 1), 20},
        SeparableCase{"NoPadding", changed(geometry(4, 10, 6, 40, 33, 1, true), 3, 0, 0, 1), 2},
        SeparableCase{"MuchPadding", changed(geometry(4, 10, 6, 20, 23, 2, true), 2, 4, 3, 1), 2},
        SeparableCase{"Dilated", changed(geometry(4, 10, 6, 50, 33, 1, true), 3, 2, 2, 2), 2}),
    [](const auto& info) { return info.param.name; });

}  // namespace

}  // namespace cnn::tests
