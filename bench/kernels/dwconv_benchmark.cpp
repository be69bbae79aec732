// Depthwise convolutions of MobileNet.
#include <fmt/format.h>

#include "cnn/ops/dwconv.hpp"
#include "measure.hpp"

namespace cnn::bench {

namespace {

struct Operands {
  explicit Operands(const ConvGeometry& g)
      : input(static_cast<std::size_t>(g.in_channels) * g.in_height * g.in_width * batch),
        output(static_cast<std::size_t>(g.out_channels) * g.out_height * g.out_width * batch),
        weight(static_cast<std::size_t>(g.out_channels) * 9), scratch(dwconv_scratch(g, batch)) {}
  Values input, output, weight;
  TeamScratch scratch;
};

template <class Run>
void add_pass(const char* pass, const ConvGeometry& g, Run run) {
  add(fmt::format("dwconv/{}/{}x{}x{}/{}", pass, g.in_channels, g.in_height, g.in_width, g.stride_height), [=](benchmark::State& state) {
    const Operands o(g);
    const auto floats = static_cast<double>(o.input.get().size() + o.output.get().size());
    measure(state, 18.0 * static_cast<double>(o.output.get().size()), 4 * floats, [&] { run(o, g); });
  });
}

}  // namespace

void add_dwconv() {
  struct Layer {
    int channels, size, stride;
  };
  for (const Layer& layer : {Layer{32, 112, 1}, Layer{96, 112, 2}, Layer{144, 56, 1}, Layer{192, 28, 1}, Layer{384, 14, 1},
                             Layer{576, 14, 2}, Layer{960, 7, 1}}) {
    ConvGeometry g;
    g.in_channels = g.out_channels = g.groups = layer.channels;
    g.in_height = g.in_width = layer.size;
    g.kernel_height = g.kernel_width = 3;
    g.stride_height = g.stride_width = layer.stride;
    g.pad_top = g.pad_left = 1;
    g.out_height = g.out_width = (layer.size - 1) / layer.stride + 1;
    add_pass("forward", g, [](const Operands& o, const ConvGeometry& geometry) {
      dwconv(o.output.images(), o.input.images(), o.weight, Epilogue(), geometry, batch, o.scratch.get());
    });
    add_pass("input", g, [](const Operands& o, const ConvGeometry& geometry) {
      dwconv_backward_input(o.input.images(), o.output.images(), o.weight, geometry, batch, o.scratch.get());
    });
    add_pass("params", g, [](const Operands& o, const ConvGeometry& geometry) {
      dwconv_backward_params(o.weight, o.output.images(), o.input.images(), geometry, batch, o.scratch.get());
    });
  }
}

}  // namespace cnn::bench
