// How far each algorithm is from the definition in double, on the convolutions of VGG16, ResNet-50 and DenseNet121: the root
// of the mean square and the largest error, relative to the root mean square and the largest of the values. Values are
// compared at places drawn at random, since all of them would take minutes.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cnn/ops/conv/fast.hpp"
#include "reference.hpp"

namespace cnn::tests {

namespace {

struct Layer {
  const char* network;
  int in, out, size, kernel, stride;
};

// Every shape of convolution once; what a network has several times, or another has too, is not repeated.
constexpr Layer kLayers[] = {
    {"VGG16", 3, 64, 224, 3, 1},         {"VGG16", 64, 64, 224, 3, 1},       {"VGG16", 64, 128, 112, 3, 1},
    {"VGG16", 128, 128, 112, 3, 1},      {"VGG16", 128, 256, 56, 3, 1},      {"VGG16", 256, 256, 56, 3, 1},
    {"VGG16", 256, 512, 28, 3, 1},       {"VGG16", 512, 512, 28, 3, 1},      {"VGG16", 512, 512, 14, 3, 1},
    {"ResNet-50", 3, 64, 224, 7, 2},     {"ResNet-50", 64, 64, 56, 1, 1},    {"ResNet-50", 64, 64, 56, 3, 1},
    {"ResNet-50", 64, 256, 56, 1, 1},    {"ResNet-50", 256, 64, 56, 1, 1},   {"ResNet-50", 256, 128, 56, 1, 1},
    {"ResNet-50", 128, 128, 56, 3, 2},   {"ResNet-50", 128, 512, 28, 1, 1},  {"ResNet-50", 256, 512, 56, 1, 2},
    {"ResNet-50", 128, 128, 28, 3, 1},   {"ResNet-50", 256, 256, 28, 3, 2},  {"ResNet-50", 256, 1024, 14, 1, 1},
    {"ResNet-50", 512, 1024, 28, 1, 2},  {"ResNet-50", 256, 256, 14, 3, 1},  {"ResNet-50", 512, 512, 14, 3, 2},
    {"ResNet-50", 512, 2048, 7, 1, 1},   {"ResNet-50", 1024, 2048, 14, 1, 2}, {"ResNet-50", 512, 512, 7, 3, 1},
    {"DenseNet121", 128, 32, 56, 3, 1},  {"DenseNet121", 128, 32, 28, 3, 1}, {"DenseNet121", 128, 32, 14, 3, 1},
    {"DenseNet121", 128, 32, 7, 3, 1},   {"DenseNet121", 224, 128, 56, 1, 1}, {"DenseNet121", 480, 128, 28, 1, 1},
    {"DenseNet121", 992, 128, 14, 1, 1}, {"DenseNet121", 992, 128, 7, 1, 1}, {"AlexNet", 64, 192, 27, 5, 1},
};

ConvGeometry geometry_of(const Layer& layer) {
  ConvGeometry g;
  g.in_channels = layer.in, g.in_height = g.in_width = layer.size, g.out_channels = layer.out;
  g.kernel_height = g.kernel_width = layer.kernel, g.stride_height = g.stride_width = layer.stride;
  g.pad_top = g.pad_left = layer.kernel / 2;
  return g;
}

constexpr int kBatch = 2;
constexpr int kSamples = 300;

// A convolution's operands, as a trained network has them: inputs behind a norm and relu, weights of He's variance.
struct Operands {
  ConvGeometry g;
  std::vector<float> input, affine, weight, d_output;

  explicit Operands(const Layer& layer) : g(geometry_of(layer)) {
    EXPECT_TRUE(reference::complete(g));
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    const auto draw = [&](std::size_t count, float deviation) {
      std::vector<float> values(count);
      for (float& value : values) value = deviation * normal(random);
      return values;
    };
    const auto in = static_cast<std::size_t>(g.in_channels) * g.in_height * g.in_width * kBatch;
    const auto out = static_cast<std::size_t>(g.out_channels) * g.out_height * g.out_width * kBatch;
    input = draw(in, 1);
    affine = draw(2 * static_cast<std::size_t>(g.in_channels), 0.2f);
    for (int channel = 0; channel < g.in_channels; ++channel) affine[static_cast<std::size_t>(channel)] += 1;
    weight = draw(static_cast<std::size_t>(g.out_channels) * g.depth(), std::sqrt(2.0f / static_cast<float>(g.depth())));
    d_output = draw(out, 1);
  }

  // The input as it is loaded, in double; 0 outside.
  double seen(int image, int channel, int y, int x) const {
    if (y < 0 || y >= g.in_height || x < 0 || x >= g.in_width) return 0;
    const double value = input[index(image, channel, y, x, g.in_channels, g.in_height, g.in_width)];
    const auto c = static_cast<std::size_t>(channel);
    return std::max(0.0, value * affine[c] + affine[static_cast<std::size_t>(g.in_channels) + c]);
  }
  double gradient(int image, int channel, int y, int x) const {
    return d_output[index(image, channel, y, x, g.out_channels, g.out_height, g.out_width)];
  }
  double weighted(int out, int in, int ky, int kx) const {
    return weight[(static_cast<std::size_t>(out) * g.in_channels + in) * g.taps() + static_cast<std::size_t>(ky * g.kernel_width + kx)];
  }
  static std::size_t index(int image, int channel, int y, int x, int channels, int height, int width) {
    return ((static_cast<std::size_t>(image) * channels + channel) * height + y) * width + x;
  }

  double output_at(int image, int out, int y, int x) const {
    double sum = 0;
    for (int in = 0; in < g.in_channels; ++in) {
      for (int ky = 0; ky < g.kernel_height; ++ky) {
        for (int kx = 0; kx < g.kernel_width; ++kx) {
          sum += weighted(out, in, ky, kx) * seen(image, in, y * g.stride_height + ky - g.pad_top, x * g.stride_width + kx - g.pad_left);
        }
      }
    }
    return sum;
  }
  double d_input_at(int image, int in, int y, int x) const {
    double sum = 0;
    for (int ky = 0; ky < g.kernel_height; ++ky) {
      for (int kx = 0; kx < g.kernel_width; ++kx) {
        const int from_y = y + g.pad_top - ky, from_x = x + g.pad_left - kx;
        if (from_y % g.stride_height != 0 || from_x % g.stride_width != 0) continue;
        const int out_y = from_y / g.stride_height, out_x = from_x / g.stride_width;
        if (from_y < 0 || from_x < 0 || out_y >= g.out_height || out_x >= g.out_width) continue;
        for (int out = 0; out < g.out_channels; ++out) sum += weighted(out, in, ky, kx) * gradient(image, out, out_y, out_x);
      }
    }
    return sum;
  }
  double d_weight_at(int out, int in, int ky, int kx) const {
    double sum = 0;
    for (int image = 0; image < kBatch; ++image) {
      for (int y = 0; y < g.out_height; ++y) {
        for (int x = 0; x < g.out_width; ++x) {
          sum += gradient(image, out, y, x) * seen(image, in, y * g.stride_height + ky - g.pad_top, x * g.stride_width + kx - g.pad_left);
        }
      }
    }
    return sum;
  }
};

struct Errors {
  double squares = 0, expected_squares = 0, largest = 0, expected_largest = 0;

  void add(double actual, double expected) {
    squares += (actual - expected) * (actual - expected);
    expected_squares += expected * expected;
    largest = std::max(largest, std::abs(actual - expected));
    expected_largest = std::max(expected_largest, std::abs(expected));
  }
  double mean() const { return std::sqrt(squares / expected_squares); }
  double most() const { return largest / expected_largest; }
};

struct Passes {
  Errors forward, backward_input, backward_params;
};

template <class Forward, class BackwardInput, class BackwardParams>
Passes compare(const Operands& o, const ScratchSize& size, Forward&& forward, BackwardInput&& backward_input,
               BackwardParams&& backward_params) {
  const ConvGeometry& g = o.g;
  std::vector<float> y(o.d_output.size()), dx(o.input.size()), dw(o.weight.size());
  const auto stride = [](const std::vector<float>& map) { return static_cast<std::ptrdiff_t>(map.size() / kBatch); };
  const TestScratch scratch(size, 2);
  on_team(
      [&] {
        const Loaded source(ConstBlocked{o.input.data(), stride(o.input)}, o.affine, Activation::kRelu);
        const ConstBlocked dy{o.d_output.data(), stride(o.d_output)};
        forward(Blocked{y.data(), stride(y)}, source, scratch);
        backward_input(Blocked{dx.data(), stride(dx)}, dy, scratch);
        backward_params(dw, dy, source, scratch);
      },
      2);
  Passes passes;
  std::mt19937 random(3);
  const auto draw = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
  for (int i = 0; i < kSamples; ++i) {
    const int image = draw(kBatch), out = draw(g.out_channels), in = draw(g.in_channels);
    const int oy = draw(g.out_height), ox = draw(g.out_width), iy = draw(g.in_height), ix = draw(g.in_width);
    passes.forward.add(y[Operands::index(image, out, oy, ox, g.out_channels, g.out_height, g.out_width)], o.output_at(image, out, oy, ox));
    passes.backward_input.add(dx[Operands::index(image, in, iy, ix, g.in_channels, g.in_height, g.in_width)], o.d_input_at(image, in, iy, ix));
    if (i % 3 != 0) continue;
    const int ky = draw(g.kernel_height), kx = draw(g.kernel_width);
    passes.backward_params.add(dw[(static_cast<std::size_t>(out) * g.in_channels + in) * g.taps() + static_cast<std::size_t>(ky * g.kernel_width + kx)],
                               o.d_weight_at(out, in, ky, kx));
  }
  return passes;
}

ScratchSize most(std::initializer_list<ScratchSize> sizes) {
  ScratchSize result;
  for (const ScratchSize& size : sizes) {
    result = {std::max(result.per_thread, size.per_thread), std::max(result.shared, size.shared)};
  }
  return result;
}

void report(const Layer& layer, const char* algorithm, const Passes& passes, double limit) {
  std::printf("%-12s %4d to %4d, %dx%d/%d at %3d  %-8s  forward %.1e %.1e  backward-input %.1e %.1e  backward-params %.1e %.1e\n",
              layer.network, layer.in, layer.out, layer.kernel, layer.kernel, layer.stride, layer.size, algorithm,
              passes.forward.mean(), passes.forward.most(), passes.backward_input.mean(), passes.backward_input.most(),
              passes.backward_params.mean(), passes.backward_params.most());
  for (const Errors& errors : {passes.forward, passes.backward_input, passes.backward_params}) {
    EXPECT_LE(errors.mean(), limit);
    EXPECT_LE(errors.most(), limit);
  }
}

}  // namespace

TEST(Accuracy, OfConvolutionsAgainstDouble) {
  constexpr double kStrict = 1e-5, kFast = 3e-5;  // the language promises 1e-3 of `fast`: this is what was reached
  std::printf("relative errors: root mean square, then the largest\n");
  for (const Layer& layer : kLayers) {
    SCOPED_TRACE(testing::Message() << layer.network << " " << layer.in << " to " << layer.out << " at " << layer.size);
    const Operands operands(layer);
    const ConvGeometry& g = operands.g;
    report(layer, "packed",
           compare(
               operands,
               most({conv_scratch(g, kBatch), conv_backward_input_scratch(g, kBatch), conv_backward_params_scratch(g, kBatch)}),
               [&](Blocked y, const Loaded& x, const Scratch& s) { conv(y, x, operands.weight, {}, g, kBatch, s); },
               [&](Blocked dx, ConstBlocked dy, const Scratch& s) { conv_backward_input(dx, dy, operands.weight, g, kBatch, s); },
               [&](Floats dw, ConstBlocked dy, const Loaded& x, const Scratch& s) { conv_backward_params(dw, dy, x, g, kBatch, s); }),
           kStrict);
    // Other kernels where the processor multiplies tiles of bf16 numbers.
    report(layer, "fast",
           compare(
               operands,
               most({fast::conv_scratch(g, kBatch), fast::conv_backward_input_scratch(g, kBatch), fast::conv_backward_params_scratch(g, kBatch)}),
               [&](Blocked y, const Loaded& x, const Scratch& s) { fast::conv(y, x, operands.weight, {}, g, kBatch, s); },
               [&](Blocked dx, ConstBlocked dy, const Scratch& s) { fast::conv_backward_input(dx, dy, operands.weight, g, kBatch, s); },
               [&](Floats dw, ConstBlocked dy, const Loaded& x, const Scratch& s) { fast::conv_backward_params(dw, dy, x, g, kBatch, s); }),
           kFast);
    report(layer, "direct",
           compare(
               operands,
               most({direct::conv_scratch(g, kBatch), conv_backward_input_scratch(g, kBatch), conv_backward_params_scratch(g, kBatch)}),
               [&](Blocked y, const Loaded& x, const Scratch& s) { direct::conv(y, x, operands.weight, {}, g, kBatch, s); },
               [&](Blocked dx, ConstBlocked dy, const Scratch& s) { conv_backward_input(dx, dy, operands.weight, g, kBatch, s); },
               [&](Floats dw, ConstBlocked dy, const Loaded& x, const Scratch& s) { conv_backward_params(dw, dy, x, g, kBatch, s); }),
           kStrict);
    if (!winograd::fits(g)) continue;
    const auto report_winograd = [&](const char* name, ScratchSize scratch, auto&& forward) {
      report(layer, name,
             compare(
                 operands,
                 most({scratch, winograd::conv_backward_input_scratch(g, kBatch), winograd::conv_backward_params_scratch(g, kBatch)}),
                 [&](Blocked y, const Loaded& x, const Scratch& s) { forward(y, x, operands.weight, Epilogue(), g, kBatch, s); },
                 [&](Blocked dx, ConstBlocked dy, const Scratch& s) {
                   winograd::conv_backward_input(dx, dy, operands.weight, g, kBatch, s);
                 },
                 [&](Floats dw, ConstBlocked dy, const Loaded& x, const Scratch& s) {
                   winograd::conv_backward_params(dw, dy, x, g, kBatch, s);
                 }),
             kFast);
    };
    report_winograd("Winograd", winograd::conv_scratch(g, kBatch), winograd::conv);
    if (g.kernel_height == 3) report_winograd("2x2", winograd::conv_2x2_scratch(g, kBatch), winograd::conv_2x2);
  }
}

}  // namespace cnn::tests
