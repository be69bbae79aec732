// Fully connected layers. At one image a layer is as fast as its weights come out of memory.
#include <fmt/format.h>

#include "cnn/ops/dense.hpp"
#include "measure.hpp"

namespace cnn::bench {

namespace {

struct Operands {
  explicit Operands(const DenseGeometry& g)
      : input(static_cast<std::size_t>(g.in) * batch), output(static_cast<std::size_t>(g.out) * batch),
        weight(static_cast<std::size_t>(g.in) * g.out), bias(static_cast<std::size_t>(g.out)),
        operations(2.0 * g.in * g.out * batch), bytes(4.0 * g.in * g.out), scratch(dense_scratch(g, batch)) {}
  Values input, output, weight, bias;
  double operations, bytes;
  TeamScratch scratch;
};

template <class Run>
void add_pass(const char* pass, const DenseGeometry& g, Run run) {
  add(fmt::format("dense/{}/{}-{}", pass, g.in, g.out), [g, run](benchmark::State& state) {
    const Operands o(g);
    measure(state, o.operations, o.bytes, [&] { run(o, g); });
  });
}

}  // namespace

void add_dense() {
  for (const DenseGeometry& g : {DenseGeometry{400, 120, 1}, DenseGeometry{512, 1000, 1}, DenseGeometry{4096, 4096, 1},
                                 DenseGeometry{9216, 4096, 1}, DenseGeometry{25088, 4096, 1}}) {
    add_pass("forward", g, [](const Operands& o, const DenseGeometry& geometry) {
      dense(o.output.images(), o.input.images(), o.weight, o.bias, geometry, batch, o.scratch.get());
    });
    add_pass("input", g, [](const Operands& o, const DenseGeometry& geometry) {
      dense_backward_input(o.input.images(), o.output.images(), o.weight, geometry, batch, o.scratch.get());
    });
    add_pass("params", g, [](const Operands& o, const DenseGeometry& geometry) {
      dense_backward_params(o.weight, o.bias, o.output.images(), o.input.images(), geometry, batch, o.scratch.get());
    });
  }
}

}  // namespace cnn::bench
