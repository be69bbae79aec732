// dense against the definition.
#include "cnn/ops/dense.hpp"

#include "reference.hpp"

namespace cnn::tests {

namespace {

Doubles transposed(const Doubles& matrix, int rows, int columns) {
  Doubles result(matrix.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    const auto width = static_cast<std::size_t>(columns);
    result[i % width * static_cast<std::size_t>(rows) + i / width] = matrix[i];
  }
  return result;
}

struct DenseRun {
  Doubles input, weight, bias, d_output;
  Doubles output, d_input, d_weight, d_bias;

  DenseRun(const DenseGeometry& g, int batch, bool biased, unsigned seed) {
    Numbers numbers(seed);
    input = numbers.uniform(static_cast<std::size_t>(g.in * batch));
    weight = numbers.uniform(static_cast<std::size_t>(g.in * g.out));
    if (biased) bias = numbers.uniform(static_cast<std::size_t>(g.out));
    d_output = numbers.uniform(static_cast<std::size_t>(g.out * batch));
    const MapGeometry in{.channels = g.in, .block = g.block};
    const MapGeometry out{.channels = g.out, .block = g.block};
    const Map x(in, batch, input);
    const Map dy(out, batch, d_output);
    Map y(out, batch);
    Map dx(in, batch);
    const std::vector<float> w = floats(weight);
    const std::vector<float> b = floats(bias);
    std::vector<float> dw = unwritten(w.size());
    std::vector<float> db = unwritten(b.size());
    const TestScratch scratch(dense_scratch(g, batch), 1);
    on_team([&] {
      if (biased) {
        dense(y, x, w, b, g, batch, scratch);
        dense_backward_params(dw, db, dy, x, g, batch, scratch);
      } else {
        dense(y, x, w, g, batch, scratch);
        dense_backward_params(dw, dy, x, g, batch, scratch);
      }
      dense_backward_input(dx, dy, w, g, batch, scratch);
    });
    EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    output = y.values();
    d_input = dx.values();
    d_weight = doubles(dw);
    d_bias = doubles(db);
  }
};

void check(const DenseGeometry& g, int batch, bool biased) {
  SCOPED_TRACE(testing::Message() << "dense " << g.in << " " << g.out << " NB " << g.block << " batch "
                                  << batch);
  const DenseRun run(g, batch, biased, 1);
  expect_close(run.output, reference::dense(run.input, run.weight, run.bias, g.in, g.out, batch), 2e-6,
               "output", 1);
  expect_close(run.d_input,
               reference::dense(run.d_output, transposed(run.weight, g.out, g.in), {}, g.out, g.in, batch),
               2e-6, "d_input", 1);
  // d_weight [out][in] is a dense layer over the batch.
  expect_close(run.d_weight,
               reference::dense(transposed(run.d_output, batch, g.out), transposed(run.input, batch, g.in),
                                {}, batch, g.in, g.out),
               2e-6, "d_weight", 1);
  if (biased)
    expect_close(run.d_bias, reference::channel_sums(run.d_output, g.out, 1, batch), 2e-6, "d_bias", 1);
}

}  // namespace

TEST(Dense, EqualsTheDefinition) {
  for (const int in : {1, 3, 7, 13, 130}) {
    for (const int out : {1, 3, 7, 13, 130}) {
      for (const Batching& batching : kBatchings) {
        check({in, out, batching.block}, batching.batch, true);
        check({in, out, batching.block}, batching.batch, false);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(Dense, EqualsTheDefinitionOverSeveralTiles) {
  check({600, 300, 1}, 70, true);
  for (const int few : {1, 2, 3, 4, 5, 16, 17, 32, 33, 127, 128, 129}) check({1100, 203, 1}, few, few % 2 == 0);
  check({4100, 100, 1}, 7, true);
  check({600, 300, 8}, 21, true);
}

TEST(Dense, GradientsEqualCentralDifferences) {
  for (const int block : {1, 2}) {
    const DenseGeometry g{5, 4, block};
    const DenseRun run(g, 3, true, 2);
    expect_gradient([&](const Doubles& x) { return reference::dense(x, run.weight, run.bias, 5, 4, 3); },
                    run.input, run.d_output, run.d_input, "d_input");
    expect_gradient([&](const Doubles& w) { return reference::dense(run.input, w, run.bias, 5, 4, 3); },
                    run.weight, run.d_output, run.d_weight, "d_weight");
    expect_gradient([&](const Doubles& b) { return reference::dense(run.input, run.weight, b, 5, 4, 3); },
                    run.bias, run.d_output, run.d_bias, "d_bias");
  }
}

}  // namespace cnn::tests
