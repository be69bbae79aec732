// Blocks of MobileNet and MobileNetV2 as predictions run them, and the same convolutions one by one.
#include <fmt/format.h>

#include "cnn/ops/separable.hpp"
#include "measure.hpp"

namespace cnn::bench {

namespace {

std::size_t elements(int channels, int height, int width) {
  return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * static_cast<std::size_t>(batch);
}

ScratchSize larger(ScratchSize a, ScratchSize b) {
  return {std::max(a.per_thread, b.per_thread), std::max(a.shared, b.shared)};
}

struct Operands {
  explicit Operands(const SeparableGeometry& g)
      : input(elements(g.in_channels, g.in_height, g.in_width)), expanded(elements(g.hidden_channels, g.hidden_height, g.hidden_width)),
        hidden(elements(g.hidden_channels, g.out_height, g.out_width)), output(elements(g.out_channels, g.out_height, g.out_width)),
        first(conv_prepared_floats(g.expansion())), second(static_cast<std::size_t>(g.hidden_channels) * 9),
        third(conv_prepared_floats(g.projection())), affine(static_cast<std::size_t>(2 * std::max(g.hidden_channels, g.out_channels))),
        scratch(larger(separable_prepared_scratch(g, batch),
                       larger(larger(conv_prepared_scratch(g.expansion(), batch), conv_prepared_scratch(g.projection(), batch)),
                              dwconv_scratch(g.depthwise(), batch)))) {}
  Values input, expanded, hidden, output, first, second, third, affine;
  TeamScratch scratch;
};

void run_together(const Operands& o, const SeparableGeometry& g) {
  const Epilogue inner = Epilogue().scaled(o.affine).then(Activation::kRelu6);
  const SeparablePart expansion{prepared(o.first), inner}, depthwise{o.second, inner}, projection{prepared(o.third), Epilogue().scaled(o.affine)};
  if (g.expands) {
    inverted_residual(o.output.images(), o.input.images(), expansion, depthwise, projection, g, batch, o.scratch.get());
  } else {
    separable(o.output.images(), o.input.images(), depthwise, projection, g, batch, o.scratch.get());
  }
}

void run_apart(const Operands& o, const SeparableGeometry& g) {
  const Epilogue inner = Epilogue().scaled(o.affine).then(Activation::kRelu6);
  if (g.expands) conv(o.expanded.images(), o.input.images(), prepared(o.first), inner, g.expansion(), batch, o.scratch.get());
  dwconv(o.hidden.images(), (g.expands ? o.expanded : o.input).images(), o.second, inner, g.depthwise(), batch, o.scratch.get());
  conv(o.output.images(), o.hidden.images(), prepared(o.third), Epilogue().scaled(o.affine), g.projection(), batch, o.scratch.get());
}

template <class Run>
void add_way(const char* way, const SeparableGeometry& g, Run run) {
  const auto name = fmt::format("separable/{}/{}x{}x{}/{}/{}/{}", way, g.in_channels, g.in_height, g.in_width, g.hidden_channels, g.out_channels,
                                g.stride_height);
  add(name, [=](benchmark::State& state) {
    const Operands o(g);
    const double macs = static_cast<double>(o.hidden.get().size()) * (9 + g.out_channels) +
                        (g.expands ? static_cast<double>(o.expanded.get().size()) * g.depth() : 0);
    measure(state, 2 * macs, 4 * static_cast<double>(o.input.get().size() + o.output.get().size()), [&] { run(o, g); });
  });
}

}  // namespace

void add_separable() {
  const auto add_both = [](const SeparableGeometry& g) {
    add_way("together", g, run_together);
    add_way("apart", g, run_apart);
  };
  // The first three convolutions of MobileNetV2.
  add_both({.in_channels = 3, .in_height = 224, .in_width = 224, .hidden_channels = 32, .hidden_height = 112, .hidden_width = 112,
            .out_channels = 16, .out_height = 112, .out_width = 112, .kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_left = 1,
            .expands = true, .expansion_kernel_height = 3, .expansion_kernel_width = 3, .expansion_stride_height = 2,
            .expansion_stride_width = 2, .expansion_pad_top = 1, .expansion_pad_left = 1});
  struct Block {
    int in, hidden, out, size, stride;
  };
  for (const Block& block : {Block{32, 32, 16, 112, 1}, Block{16, 96, 24, 112, 2}, Block{24, 144, 24, 56, 1}, Block{24, 144, 32, 56, 2},
                             Block{32, 192, 32, 28, 1}, Block{32, 192, 64, 28, 2}, Block{64, 384, 64, 14, 1}, Block{96, 576, 96, 14, 1},
                             Block{96, 576, 160, 14, 2}, Block{160, 960, 160, 7, 1}, Block{160, 960, 320, 7, 1}, Block{128, 128, 128, 56, 1},
                             Block{256, 256, 512, 28, 2}, Block{512, 512, 512, 14, 1}}) {
    const int out_size = (block.size - 1) / block.stride + 1;
    const SeparableGeometry g{.in_channels = block.in, .in_height = block.size, .in_width = block.size, .hidden_channels = block.hidden,
                              .hidden_height = block.size, .hidden_width = block.size,
                              .out_channels = block.out, .out_height = out_size, .out_width = out_size, .kernel_height = 3, .kernel_width = 3,
                              .stride_height = block.stride, .stride_width = block.stride, .pad_top = 1, .pad_left = 1,
                              .expands = block.in != block.hidden};
    add_both(g);
  }
}

}  // namespace cnn::bench
