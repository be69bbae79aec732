// Convolutions of the zoo: each pass, by each algorithm that fits. FLOPs are the definition's, whatever the algorithm.
#include <fmt/format.h>

#include "cnn/ops/conv.hpp"
#include "cnn/ops/conv/direct.hpp"
#include "cnn/ops/conv/winograd.hpp"
#include "measure.hpp"

namespace cnn::bench {

namespace {

struct Layer {
  const char* network;
  int in, out, size, kernel, stride, pad;
};

constexpr Layer kLayers[] = {
    {"AlexNet", 3, 64, 224, 11, 4, 2},     {"AlexNet", 64, 192, 27, 5, 1, 2},     {"AlexNet", 192, 384, 13, 3, 1, 1},
    {"AlexNet", 384, 256, 13, 3, 1, 1},    {"AlexNet", 256, 256, 13, 3, 1, 1},    {"VGG16", 3, 64, 224, 3, 1, 1},
    {"VGG16", 64, 64, 224, 3, 1, 1},       {"VGG16", 64, 128, 112, 3, 1, 1},      {"VGG16", 128, 128, 112, 3, 1, 1},
    {"VGG16", 128, 256, 56, 3, 1, 1},      {"VGG16", 256, 256, 56, 3, 1, 1},      {"VGG16", 256, 512, 28, 3, 1, 1},
    {"VGG16", 512, 512, 28, 3, 1, 1},      {"VGG16", 512, 512, 14, 3, 1, 1},      {"GoogLeNet", 64, 192, 56, 3, 1, 1},
    {"GoogLeNet", 96, 128, 28, 3, 1, 1},   {"GoogLeNet", 16, 32, 28, 5, 1, 2},    {"GoogLeNet", 480, 192, 14, 1, 1, 0},
    {"GoogLeNet", 512, 112, 14, 1, 1, 0},  {"GoogLeNet", 160, 320, 14, 3, 1, 1},  {"GoogLeNet", 192, 384, 7, 3, 1, 1},
    {"ResNet-18", 3, 64, 224, 7, 2, 3},    {"ResNet-18", 64, 64, 56, 3, 1, 1},    {"ResNet-18", 64, 128, 56, 3, 2, 1},
    {"ResNet-18", 64, 128, 56, 1, 2, 0},   {"ResNet-18", 128, 128, 28, 3, 1, 1},  {"ResNet-18", 128, 256, 28, 3, 2, 1},
    {"ResNet-18", 256, 256, 14, 3, 1, 1},  {"ResNet-18", 256, 512, 14, 3, 2, 1},  {"ResNet-18", 512, 512, 7, 3, 1, 1},
    {"ResNet-50", 64, 64, 56, 1, 1, 0},    {"ResNet-50", 64, 256, 56, 1, 1, 0},   {"ResNet-50", 256, 64, 56, 1, 1, 0},
    {"ResNet-50", 256, 128, 56, 1, 1, 0},  {"ResNet-50", 128, 128, 56, 3, 2, 1},  {"ResNet-50", 128, 512, 28, 1, 1, 0},
    {"ResNet-50", 256, 512, 56, 1, 2, 0},  {"ResNet-50", 512, 128, 28, 1, 1, 0},  {"ResNet-50", 512, 256, 28, 1, 1, 0},
    {"ResNet-50", 256, 256, 28, 3, 2, 1},  {"ResNet-50", 256, 1024, 14, 1, 1, 0}, {"ResNet-50", 1024, 256, 14, 1, 1, 0},
    {"ResNet-50", 512, 512, 14, 3, 2, 1},  {"ResNet-50", 512, 2048, 7, 1, 1, 0},  {"ResNet-50", 2048, 512, 7, 1, 1, 0},
    {"DenseNet121", 128, 32, 56, 3, 1, 1}, {"DenseNet121", 128, 32, 28, 3, 1, 1}, {"DenseNet121", 128, 32, 14, 3, 1, 1},
    {"DenseNet121", 128, 32, 7, 3, 1, 1},  {"DenseNet121", 160, 128, 56, 1, 1, 0}, {"DenseNet121", 320, 128, 28, 1, 1, 0},
    {"DenseNet121", 640, 128, 14, 1, 1, 0}, {"DenseNet121", 768, 128, 7, 1, 1, 0}, {"MobileNetV2", 96, 24, 56, 1, 1, 0},
    {"MobileNetV2", 32, 192, 28, 1, 1, 0}, {"MobileNetV2", 384, 64, 14, 1, 1, 0},
};

ConvGeometry geometry_of(const Layer& layer) {
  ConvGeometry g;
  g.in_channels = layer.in, g.in_height = g.in_width = layer.size, g.out_channels = layer.out;
  g.kernel_height = g.kernel_width = layer.kernel, g.stride_height = g.stride_width = layer.stride;
  g.pad_top = g.pad_left = layer.pad;
  g.out_height = g.out_width = (layer.size + 2 * layer.pad - layer.kernel) / layer.stride + 1;
  return g;
}

struct Operands {
  explicit Operands(const ConvGeometry& g)
      : input(static_cast<std::size_t>(g.in_channels) * g.in_height * g.in_width * batch),
        affine(2 * static_cast<std::size_t>(g.in_channels)),
        weight(static_cast<std::size_t>(g.out_channels) * g.depth()),
        d_weight(static_cast<std::size_t>(g.out_channels) * g.depth()),
        output(static_cast<std::size_t>(g.out_channels) * g.out_height * g.out_width * batch),
        addend(output.get().size()),
        macs(static_cast<double>(g.out_channels) * g.depth() * g.out_height * g.out_width * batch) {}

  /// As the output of a bn with relu is read.
  Loaded loaded() const { return {input.images(), affine, Activation::kRelu}; }

  Values input, affine, weight, d_weight, output, addend;
  double macs;
};

std::string name_of(const Layer& layer, const char* pass, const char* algorithm) {
  return fmt::format("conv/{}/{}/{}/{}x{}x{}-{},{}x{}/{}", layer.network, pass, algorithm, layer.in, layer.size, layer.size, layer.out,
                     layer.kernel, layer.kernel, layer.stride);
}

template <class Run>
void add_pass(const Layer& layer, const char* pass, const char* algorithm, ScratchSize (*scratch_size)(const ConvGeometry&, int),
              Run run) {
  add(name_of(layer, pass, algorithm), [=](benchmark::State& state) {
    const ConvGeometry g = geometry_of(layer);
    const Operands o(g);
    const TeamScratch scratch(scratch_size(g, batch));
    measure(state, 2 * o.macs, 0, [&] { run(o, g, scratch.get()); });
  });
}

// As predictions run, whose weights come out of memory: other layers' were read since the last time. `floats` are those of a layer's.
template <class Run>
void add_prediction(const Layer& layer, const char* algorithm, std::size_t floats, ScratchSize (*scratch_size)(const ConvGeometry&, int), Run run) {
  add(name_of(layer, "prediction", algorithm), [=](benchmark::State& state) {
    constexpr std::size_t kOthers = std::size_t{1} << 24;  // floats
    const ConvGeometry g = geometry_of(layer);
    const Operands o(g);
    const std::size_t copies = kOthers / floats + 1;
    const Values weights(copies * floats);
    const TeamScratch scratch(scratch_size(g, batch));
    std::size_t calls = 0;
    const auto own = [&] { return ConstFloats(weights.data() + calls % copies * floats, floats); };
    measure(state, 2 * o.macs, 0, [&] { run(o, own(), g, scratch.get()); }, [&] { ++calls; });
  });
}

}  // namespace

void add_conv() {
  for (const Layer& layer : kLayers) {
    add_pass(layer, "forward", "packed", conv_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
      conv(o.output.images(), o.loaded(), o.weight, Epilogue(), g, batch, s);
    });
    add_prediction(layer, "packed", conv_prepared_floats(geometry_of(layer)), conv_prepared_scratch,
                   [](const Operands& o, ConstFloats weights, const ConvGeometry& g, const Scratch& s) {
                     conv(o.output.images(), o.input.images(), prepared(weights), Epilogue(), g, batch, s);
                   });
    add_pass(layer, "forward", "direct", direct::conv_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
      direct::conv(o.output.images(), o.loaded(), o.weight, Epilogue(), g, batch, s);
    });
    add_prediction(layer, "direct", direct::conv_prepared_floats(geometry_of(layer)), direct::conv_prepared_scratch,
                   [](const Operands& o, ConstFloats weights, const ConvGeometry& g, const Scratch& s) {
                     direct::conv(o.output.images(), o.input.images(), prepared(weights), Epilogue(), g, batch, s);
                   });
    if (layer.kernel == 1) {  // as a residual block ends
      add_pass(layer, "forward_add", "packed", conv_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
        conv(o.output.images(), o.input.images(), o.weight, Epilogue().plus(o.addend.images()).then(Activation::kRelu), g, batch, s);
      });
    }
    add_pass(layer, "input", "packed", conv_backward_input_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
      conv_backward_input(o.input.images(), o.output.images(), o.weight, g, batch, s);
    });
    add_pass(layer, "params", "packed", conv_backward_params_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
      conv_backward_params(o.d_weight, o.output.images(), o.loaded(), g, batch, s);
    });
    if (!winograd::fits(geometry_of(layer))) continue;
    add_pass(layer, "forward", "winograd", winograd::conv_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
      winograd::conv(o.output.images(), o.loaded(), o.weight, Epilogue(), g, batch, s);
    });
    if (layer.kernel == 3) {
      const std::size_t floats = static_cast<std::size_t>(layer.out) * geometry_of(layer).depth();
      add_prediction(layer, "winograd", floats, winograd::conv_scratch,
                     [](const Operands& o, ConstFloats weights, const ConvGeometry& g, const Scratch& s) {
                       winograd::conv(o.output.images(), o.input.images(), weights, Epilogue(), g, batch, s);
                     });
      add_prediction(layer, "winograd_2x2", floats, winograd::conv_2x2_scratch,
                     [](const Operands& o, ConstFloats weights, const ConvGeometry& g, const Scratch& s) {
                       winograd::conv_2x2(o.output.images(), o.input.images(), weights, Epilogue(), g, batch, s);
                     });
      add_pass(layer, "forward_add", "winograd", winograd::conv_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
        winograd::conv(o.output.images(), o.input.images(), o.weight, Epilogue().plus(o.addend.images()).then(Activation::kRelu), g, batch, s);
      });
      add_pass(layer, "forward", "winograd_2x2", winograd::conv_2x2_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
        winograd::conv_2x2(o.output.images(), o.loaded(), o.weight, Epilogue(), g, batch, s);
      });
    }
    add_pass(layer, "input", "winograd", winograd::conv_backward_input_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
      winograd::conv_backward_input(o.input.images(), o.output.images(), o.weight, g, batch, s);
    });
    add_pass(layer, "params", "winograd", winograd::conv_backward_params_scratch, [](const Operands& o, const ConvGeometry& g, const Scratch& s) {
      winograd::conv_backward_params(o.d_weight, o.output.images(), o.loaded(), g, batch, s);
    });
  }
}

}  // namespace cnn::bench
