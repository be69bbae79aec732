// conv's algorithms, packed columns and Winograd's, with what they do on loading and storing, against the definition.
#include <array>

#include "cnn/ops/conv/direct.hpp"
#include "cnn/ops/conv/fast.hpp"
#include "reference.hpp"

namespace cnn::tests {

namespace {

// The passes of one algorithm.
struct Algorithm {
  const char* name;
  ScratchSize (*scratch)(const ConvGeometry&, int);
  ScratchSize (*backward_input_scratch)(const ConvGeometry&, int);
  ScratchSize (*backward_params_scratch)(const ConvGeometry&, int);
  std::size_t (*prepared_floats)(const ConvGeometry&);
  ScratchSize (*prepared_scratch)(const ConvGeometry&, int);
  void (*prepare)(Floats, ConstFloats, const ConvGeometry&);
  void (*forward)(Blocked, const Loaded&, const ConvWeights&, const Epilogue&, const ConvGeometry&, int, const Scratch&);
  void (*backward_input)(const Result&, ConstBlocked, ConstFloats, const ConvGeometry&, int, const Scratch&);
  void (*backward_params)(Floats, Floats, ConstBlocked, const Loaded&, const ConvGeometry&, int, const Scratch&);
  double tolerance;
};

constexpr Algorithm kPacked{"packed", conv_scratch, conv_backward_input_scratch, conv_backward_params_scratch,
                            conv_prepared_floats, conv_prepared_scratch, conv_prepare, conv, conv_backward_input, conv_backward_params, 4e-6};
constexpr Algorithm kWinograd{"winograd",
                              winograd::conv_scratch,
                              winograd::conv_backward_input_scratch,
                              winograd::conv_backward_params_scratch,
                              winograd::conv_prepared_floats,
                              winograd::conv_prepared_scratch,
                              winograd::conv_prepare,
                              winograd::conv,
                              winograd::conv_backward_input,
                              winograd::conv_backward_params,
                              3e-5};

// Forward only; its backward passes are the first one's.
constexpr Algorithm kDirect{"direct", direct::conv_scratch, conv_backward_input_scratch, conv_backward_params_scratch,
                            direct::conv_prepared_floats, direct::conv_prepared_scratch, direct::conv_prepare, direct::conv, conv_backward_input, conv_backward_params, 4e-6};

// Forward by F(2x2, 3x3); its backward passes are the others'.
constexpr Algorithm kWinograd2x2{"winograd_2x2",
                                 winograd::conv_2x2_scratch,
                                 winograd::conv_backward_input_scratch,
                                 winograd::conv_backward_params_scratch,
                                 winograd::conv_2x2_prepared_floats,
                                 winograd::conv_2x2_prepared_scratch,
                                 winograd::conv_2x2_prepare,
                                 winograd::conv_2x2,
                                 winograd::conv_backward_input,
                                 winograd::conv_backward_params,
                                 3e-5};

// Those of fast programs: others where the processor multiplies tiles of bf16 numbers.
constexpr Algorithm kFast{"fast",
                          fast::conv_scratch,
                          fast::conv_backward_input_scratch,
                          fast::conv_backward_params_scratch,
                          fast::conv_prepared_floats,
                          fast::conv_prepared_scratch,
                          fast::conv_prepare,
                          fast::conv,
                          fast::conv_backward_input,
                          fast::conv_backward_params,
                          3e-5};
constexpr Algorithm kFastWinograd{"fast winograd",
                                  fast::winograd::conv_scratch,
                                  fast::winograd::conv_backward_input_scratch,
                                  fast::winograd::conv_backward_params_scratch,
                                  fast::winograd::conv_prepared_floats,
                                  fast::winograd::conv_prepared_scratch,
                                  fast::winograd::conv_prepare,
                                  fast::winograd::conv,
                                  fast::winograd::conv_backward_input,
                                  fast::winograd::conv_backward_params,
                                  3e-5};
constexpr Algorithm kFastWinograd2x2{"fast winograd_2x2",
                                     fast::winograd::conv_2x2_scratch,
                                     fast::winograd::conv_backward_input_scratch,
                                     fast::winograd::conv_backward_params_scratch,
                                     fast::winograd::conv_2x2_prepared_floats,
                                     fast::winograd::conv_2x2_prepared_scratch,
                                     fast::winograd::conv_2x2_prepare,
                                     fast::winograd::conv_2x2,
                                     fast::winograd::conv_backward_input,
                                     fast::winograd::conv_backward_params,
                                     3e-5};

ConvGeometry geometry(int in, int out, int height, int width, int kernel, int stride, int pad_top, int pad_left) {
  ConvGeometry g;
  g.in_channels = in, g.in_height = height, g.in_width = width, g.out_channels = out;
  g.kernel_height = g.kernel_width = kernel, g.stride_height = g.stride_width = stride;
  g.pad_top = pad_top, g.pad_left = pad_left;
  return g;
}

double at_least_0(double value) {
  return std::max(value, 0.0);
}

// values[image][channel][pixel] * scale[channel] + shift[channel], cut off below 0 where relu.
Doubles affine(Doubles values, const Doubles& scale_and_shift, bool relu, int pixels) {
  const std::size_t channels = scale_and_shift.size() / 2;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = i / static_cast<std::size_t>(pixels) % channels;
    values[i] = values[i] * scale_and_shift[channel] + scale_and_shift[channels + channel];
    if (relu) values[i] = at_least_0(values[i]);
  }
  return values;
}

struct Fusion {
  bool loads = false;     // scale, shift and relu on load
  bool finishes = false;  // scale, shift, an addend and relu before storing
};

void check(const Algorithm& algorithm, ConvGeometry g, int batch, const Fusion& fusion, unsigned seed) {
  SCOPED_TRACE(testing::Message() << algorithm.name << " " << g.in_channels << "x" << g.in_height << "x" << g.in_width << " to "
                                  << g.out_channels << ", kernel " << g.kernel_height << " stride " << g.stride_height << " pad "
                                  << g.pad_top << "," << g.pad_left << " batch " << batch << (fusion.loads ? " loads" : "")
                                  << (fusion.finishes ? " finishes" : ""));
  ASSERT_TRUE(reference::complete(g));
  Numbers numbers(seed);
  const MapGeometry in{g.in_channels, g.in_height, g.in_width, 1};
  const MapGeometry out{g.out_channels, g.out_height, g.out_width, 1};
  const Doubles input = numbers.uniform(static_cast<std::size_t>(in.elements() * batch));
  const Doubles addend = numbers.uniform(static_cast<std::size_t>(out.elements() * batch));
  const Doubles d_output = numbers.uniform(static_cast<std::size_t>(out.elements() * batch));
  const Doubles weight = numbers.uniform(static_cast<std::size_t>(g.out_channels * g.depth()));
  const Doubles load = numbers.uniform(2 * static_cast<std::size_t>(g.in_channels), 0.2, 1.5);
  const Doubles finish = numbers.uniform(2 * static_cast<std::size_t>(g.out_channels), 0.2, 1.5);
  const std::vector<float> w = floats(weight), loaded = floats(load), finished = floats(finish);
  const Map x(in, batch, input), plus(out, batch, addend), dy(out, batch, d_output);
  Map y(out, batch), dx(in, batch), y_prepared(out, batch);
  std::vector<float> dw = unwritten(w.size()), db = unwritten(static_cast<std::size_t>(g.out_channels));

  const Loaded source = fusion.loads ? Loaded(x, loaded, Activation::kRelu) : Loaded(x);
  Epilogue epilogue;
  if (fusion.finishes) epilogue = Epilogue().scaled(finished).plus(plus).then(Activation::kRelu);
  const int threads = 2;
  const TestScratch forward(algorithm.scratch(g, batch), threads);
  const TestScratch forward_prepared(algorithm.prepared_scratch(g, batch), threads);
  std::vector<float> weights = unwritten(algorithm.prepared_floats(g));
  const TestScratch backward_input(algorithm.backward_input_scratch(g, batch), threads);
  const TestScratch backward_params(algorithm.backward_params_scratch(g, batch), threads);
  on_team(
      [&] {
        algorithm.forward(y, source, w, epilogue, g, batch, forward);
        algorithm.prepare(weights, w, g);
        algorithm.forward(y_prepared, source, prepared(weights), epilogue, g, batch, forward_prepared);
        algorithm.backward_input(dx, dy, w, g, batch, backward_input);
        algorithm.backward_params(dw, db, dy, source, g, batch, backward_params);
      },
      threads);

  const Doubles seen = fusion.loads ? affine(input, load, true, in.pixels()) : input;
  Doubles expected = reference::conv(seen, weight, {}, g, batch);
  if (fusion.finishes) {
    expected = affine(expected, finish, false, out.pixels());
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = at_least_0(expected[i] + addend[i]);
  }
  expect_close(y.values(), expected, algorithm.tolerance, "output", 1);
  EXPECT_EQ(y.values(), y_prepared.values());
  expect_close(dx.values(), reference::conv_backward_input(d_output, weight, g, batch), algorithm.tolerance, "d_input", 1);
  expect_close(doubles(dw), reference::conv_backward_weight(d_output, seen, g, batch), algorithm.tolerance, "d_weight", 1);
  expect_close(doubles(db), reference::channel_sums(d_output, g.out_channels, out.pixels(), batch), 4e-6, "d_bias", 1);
  EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
}

void check_fusions(const Algorithm& algorithm, const ConvGeometry& g, int batch) {
  check(algorithm, g, batch, {}, 1);
  check(algorithm, g, batch, {.loads = true, .finishes = true}, 2);
}

}  // namespace

class WinogradKernels : public testing::TestWithParam<int> {};

TEST_P(WinogradKernels, EqualTheDefinition) {
  const int kernel = GetParam();
  for (const int height : {1, 3, 7, 13}) {
    for (const int width : {1, 4, 7, 13}) {
      for (int pad = 0; pad < kernel; ++pad) {
        for (const int batch : {1, 5}) {
          if (height + 2 * pad < kernel || width + 2 * pad < kernel) continue;
          check_fusions(kWinograd, geometry(3, 7, height, width, kernel, 1, pad, pad), batch);
          if (kernel == 3) check_fusions(kWinograd2x2, geometry(3, 7, height, width, kernel, 1, pad, pad), batch);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(ConvAlgorithms, WinogradKernels, testing::Values(3, 5));

TEST(ConvAlgorithms, WinogradEqualsTheDefinitionOverSeveralBlocks) {
  check_fusions(kWinograd, geometry(1, 1, 50, 61, 3, 1, 1, 0), 3);
  check_fusions(kWinograd, geometry(19, 33, 29, 30, 3, 1, 1, 1), 4);
  check_fusions(kWinograd, geometry(520, 50, 7, 7, 3, 1, 1, 1), 6);
  check_fusions(kWinograd, geometry(30, 300, 14, 14, 3, 1, 0, 2), 2);
  check_fusions(kWinograd, geometry(6, 6, 3, 300, 3, 1, 1, 1), 2);
  check_fusions(kWinograd2x2, geometry(19, 33, 29, 30, 3, 1, 1, 1), 4);
  check_fusions(kWinograd2x2, geometry(520, 200, 7, 7, 3, 1, 1, 1), 1);
  check_fusions(kWinograd2x2, geometry(6, 6, 3, 300, 3, 1, 1, 1), 2);
  check_fusions(kWinograd, geometry(520, 200, 7, 7, 3, 1, 1, 1), 1);
  check_fusions(kWinograd, geometry(16, 32, 28, 27, 5, 1, 2, 2), 3);
  check_fusions(kWinograd, geometry(70, 190, 14, 13, 5, 1, 2, 1), 2);
}

// Heavy weights: tasks transform those of their rows themselves while there are few blocks, and all share them from then on.
TEST(ConvAlgorithms, WinogradOfHeavyWeightsEqualsTheDefinition) {
  struct Case {
    int in, out, size, batch;
    bool own_weights;
    int blocks;
  };
  for (const Case& c : {Case{136, 136, 9, 1, true, 1}, {136, 136, 6, 9, true, 1}, {136, 136, 3, 70, false, 5}, {400, 48, 5, 5, false, 2},
                        {370, 364, 2, 70, true, 2}}) {
    const ConvGeometry g = geometry(c.in, c.out, c.size, c.size, 3, 1, 1, 1);
    const winograd::Blocks blocks(c.in, c.out, winograd::Tiles(c.size, c.size, c.batch, winograd::outputs_of(3)));
    EXPECT_EQ(blocks.own_weights, c.own_weights) << c.in << " to " << c.out;
    EXPECT_EQ(blocks.blocks, c.blocks) << c.in << " to " << c.out;
    check(kWinograd, g, c.batch, {.loads = true, .finishes = true}, 3);
    check(kWinograd2x2, g, c.batch, {}, 4);
  }
}

// With half of the scratch, rows' weights or sums come one half after the other: the same bits, on any number of threads.
TEST(ConvAlgorithms, WinogradInHalvesIsTheSame) {
  for (const auto& [in, out, size, batch] : {std::array{136, 136, 3, 70}, {384, 256, 13, 5}, {200, 90, 9, 40}, {150, 500, 14, 2}}) {
    SCOPED_TRACE(testing::Message() << in << " to " << out << ", " << size << ", batch " << batch);
    ConvGeometry g = geometry(in, out, size, size, 3, 1, 1, 1);
    ASSERT_TRUE(reference::complete(g));
    Numbers numbers(5);
    const MapGeometry from{in, size, size, 1}, to{out, size, size, 1};
    const std::vector<float> w = floats(numbers.uniform(static_cast<std::size_t>(out * g.depth())));
    const Map x(from, batch, numbers.uniform(static_cast<std::size_t>(from.elements() * batch)));
    const Map dy(to, batch, numbers.uniform(static_cast<std::size_t>(to.elements() * batch)));
    struct Results {
      Map y, dx;
      std::vector<float> dw;
    };
    bool halved = false;
    const auto run = [&](bool least, int threads) {
      Results r{Map(to, batch), Map(from, batch), unwritten(w.size())};
      const auto scratch = [&](const ScratchSize& asked) {
        halved |= least && asked.least_shared > 0;
        return least ? TestScratch::least(asked, threads) : TestScratch(asked, threads);
      };
      const TestScratch forward = scratch(winograd::conv_scratch(g, batch)), input = scratch(winograd::conv_backward_input_scratch(g, batch)),
                        params = scratch(winograd::conv_backward_params_scratch(g, batch));
      on_team(
          [&] {
            winograd::conv(r.y, x, w, Epilogue(), g, batch, forward);
            winograd::conv_backward_input(r.dx, dy, w, g, batch, input);
            winograd::conv_backward_params(r.dw, dy, x, g, batch, params);
          },
          threads);
      return r;
    };
    const Results whole = run(false, 1);
    for (const int threads : {1, 2, 4}) {
      const Results some = run(true, threads);
      EXPECT_EQ(some.y.values(), whole.y.values());
      EXPECT_EQ(some.dx.values(), whole.dx.values());
      EXPECT_EQ(some.dw, whole.dw);
    }
    EXPECT_TRUE(halved);
  }
}

// A gradient that takes the place of an activation's output is 0 where that cut off.
TEST(ConvAlgorithms, GradientsTakeThePlaceOfWhatTheyGoThrough) {
  for (const Algorithm* algorithm : {&kPacked, &kWinograd, &kFast, &kFastWinograd}) {
    for (const Activation activation : {Activation::kRelu, Activation::kRelu6}) {
      for (const auto& [in, out, height, width, kernel, stride, pad, batch] :
           {std::array{5, 8, 13, 13, 3, 1, 1, 3}, {20, 70, 14, 11, 3, 1, 0, 2}, {7, 9, 29, 30, 3, 1, 1, 4}, {16, 24, 12, 9, 5, 1, 2, 3}, {300, 20, 7, 7, 3, 1, 1, 1},
            {9, 13, 12, 12, 1, 1, 0, 3}, {9, 13, 13, 15, 3, 2, 1, 3}, {530, 12, 7, 8, 1, 2, 0, 2}}) {
        if ((algorithm == &kWinograd || algorithm == &kFastWinograd) && (stride > 1 || kernel == 1)) continue;
        SCOPED_TRACE(testing::Message() << algorithm->name << " " << in << "x" << height << "x" << width << " to " << out << " kernel " << kernel << " stride " << stride);
        ConvGeometry g = geometry(in, out, height, width, kernel, stride, pad, pad);
        ASSERT_TRUE(reference::complete(g));
        Numbers numbers(6);
        const MapGeometry from{in, height, width, 1}, to{out, g.out_height, g.out_width, 1};
        const double most = activation == Activation::kRelu6 ? 6 : 1e9;
        Doubles output = numbers.uniform(static_cast<std::size_t>(from.elements() * batch), -8, 8);
        for (double& value : output) value = std::min(std::max(value, 0.0), most);
        const std::vector<float> w = floats(numbers.uniform(static_cast<std::size_t>(out * g.depth())));
        const Map dy(to, batch, numbers.uniform(static_cast<std::size_t>(to.elements() * batch)));
        Map plain(from, batch), through(from, batch, output);
        const TestScratch scratch(algorithm->backward_input_scratch(g, batch), 2);
        on_team(
            [&] {
              algorithm->backward_input(plain, dy, w, g, batch, scratch);
              algorithm->backward_input(in_place_of(activation, through), dy, w, g, batch, scratch);
            },
            2);
        Doubles expected = plain.values();
        for (std::size_t i = 0; i < expected.size(); ++i) {
          if (!(output[i] > 0 && output[i] < most)) expected[i] = 0;
        }
        EXPECT_EQ(through.values(), expected);
        EXPECT_TRUE(through.surroundings_intact());
      }
    }
  }
}

// A batch that is smaller than the one which scratch was planned for needs no more of it.
TEST(ConvAlgorithms, WinogradOfSmallerBatchesNeedsNoMoreScratch) {
  for (const auto& [in, out, size] : {std::array{64, 64, 14}, {136, 136, 9}, {200, 48, 7}, {384, 256, 13}, {512, 512, 7}, {512, 512, 14}}) {
    const ConvGeometry g = [&] {
      ConvGeometry complete = geometry(in, out, size, size, 3, 1, 1, 1);
      reference::complete(complete);
      return complete;
    }();
    for (int batch = 2; batch <= 33; ++batch) {
      for (auto* scratch : {winograd::conv_scratch, winograd::conv_2x2_scratch, winograd::conv_backward_input_scratch, fast::conv_scratch,
                            fast::conv_backward_input_scratch, fast::winograd::conv_scratch, fast::winograd::conv_backward_input_scratch}) {
        EXPECT_LE(scratch(g, batch - 1).per_thread, scratch(g, batch).per_thread) << in << " to " << out << ", batch " << batch;
        EXPECT_LE(scratch(g, batch - 1).shared, scratch(g, batch).shared) << in << " to " << out << ", batch " << batch;
        const auto least = [&](int images) {
          const ScratchSize size = scratch(g, images);
          return size.least_shared > 0 ? size.least_shared : size.shared;
        };
        EXPECT_LE(least(batch - 1), least(batch)) << in << " to " << out << ", batch " << batch;
      }
    }
  }
}

// Few columns and many output channels: columns are packed once for all parts of the rows.
TEST(ConvAlgorithms, PackedColumnsOfAFewImagesEqualTheDefinition) {
  for (const int batch : {1, 2, 5}) {
    check_fusions(kPacked, geometry(70, 200, 7, 7, 3, 1, 1, 1), batch);
    check_fusions(kPacked, geometry(300, 130, 14, 14, 1, 1, 0, 0), batch);
    check_fusions(kPacked, geometry(40, 310, 14, 14, 3, 2, 1, 1), batch);
  }
}

void check_windows(const Algorithm& algorithm, int in, int out) {
  for (const int size : {1, 3, 7, 13}) {
    for (const int kernel : {1, 3, 5}) {
      for (const int stride : {1, 2, 3}) {
        for (const int pad : {0, 1, 3}) {
          if (size + 2 * pad < kernel) continue;
          check_fusions(algorithm, geometry(in, out, size, size, kernel, stride, pad, pad), 3);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(ConvAlgorithms, PackedColumnsEqualTheDefinition) {
  check_windows(kPacked, 5, 8);
}

TEST(ConvAlgorithms, DirectEqualsTheDefinition) {
  check_windows(kDirect, 5, 8);
  check_windows(kDirect, 34, 49);
}

TEST(ConvAlgorithms, DirectEqualsTheDefinitionOverSeveralTasks) {
  for (const int batch : {1, 3}) {
    check_fusions(kDirect, geometry(300, 40, 21, 9, 1, 1, 0, 0), batch);    // deeper than what is multiplied at a time
    check_fusions(kDirect, geometry(150, 200, 7, 7, 3, 1, 1, 1), batch);
    check_fusions(kDirect, geometry(40, 70, 30, 31, 3, 2, 1, 1), batch);    // several bands that end within a row
    check_fusions(kDirect, geometry(3, 24, 60, 60, 7, 2, 3, 3), batch);
    check_fusions(kDirect, geometry(3, 17, 70, 70, 11, 4, 2, 2), batch);
    check_fusions(kDirect, geometry(20, 20, 3, 300, 3, 1, 1, 0), batch);    // a row of several bands
    check_fusions(kDirect, geometry(530, 12, 28, 28, 1, 1, 0, 0), batch);
    check_fusions(kDirect, geometry(6, 33, 20, 20, 1, 2, 0, 0), batch);
  }
  ConvGeometry dilated = geometry(9, 20, 20, 23, 3, 1, 2, 1);
  dilated.dilation_height = 2, dilated.dilation_width = 3;
  check_fusions(kDirect, dilated, 2);
  ConvGeometry uneven = geometry(9, 20, 20, 23, 3, 1, 2, 0);
  uneven.kernel_width = 1, uneven.stride_height = 2, uneven.stride_width = 3;
  check_fusions(kDirect, uneven, 2);
}

TEST(ConvAlgorithms, OfFastProgramsEqualTheDefinition) {
  check_windows(kFast, 5, 8);
  check_windows(kFast, 34, 17);
}

TEST(ConvAlgorithms, OfFastProgramsEqualTheDefinitionOverSeveralTasks) {
  check_fusions(kFast, geometry(300, 20, 21, 9, 1, 1, 0, 0), 6);
  check_fusions(kFast, geometry(40, 70, 30, 31, 3, 2, 1, 1), 3);
  check_fusions(kFast, geometry(3, 24, 40, 40, 7, 2, 3, 3), 2);
  check_fusions(kFast, geometry(530, 12, 7, 7, 1, 1, 0, 0), 19);
  check_fusions(kFast, geometry(300, 130, 14, 14, 1, 1, 0, 0), 1);
  for (const Algorithm* algorithm : {&kFastWinograd, &kFastWinograd2x2}) {
    check_fusions(*algorithm, geometry(19, 33, 29, 30, 3, 1, 1, 1), 4);
    check_fusions(*algorithm, geometry(520, 50, 7, 7, 3, 1, 1, 1), 6);
    check_fusions(*algorithm, geometry(136, 136, 9, 9, 3, 1, 1, 1), 1);
    check_fusions(*algorithm, geometry(6, 6, 3, 300, 3, 1, 1, 0), 2);
  }
  check_fusions(kFastWinograd, geometry(16, 32, 28, 27, 5, 1, 2, 2), 3);
}

TEST(ConvAlgorithms, PackedColumnsEqualTheDefinitionOverSeveralTiles) {
  check_fusions(kPacked, geometry(300, 20, 21, 9, 1, 1, 0, 0), 6);   // deeper than a panel
  check_fusions(kPacked, geometry(40, 70, 30, 31, 3, 2, 1, 1), 3);
  check_fusions(kPacked, geometry(3, 24, 40, 40, 7, 2, 3, 3), 2);
  check_fusions(kPacked, geometry(530, 12, 7, 7, 1, 1, 0, 0), 9);
}

}  // namespace cnn::tests
