// adaptive_avgpool against the bins' means, to sizes that divide the input's, that do not, and that are
// larger.
#include "cnn/ops/adaptive_avgpool.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

Doubles means(const Doubles& input, const AdaptivePoolGeometry& g) {
  const auto planes = input.size() / static_cast<std::size_t>(g.in_height * g.in_width);
  Doubles output;
  for (std::size_t plane = 0; plane < planes; ++plane) {
    for (int y = 0; y < g.out_height; ++y) {
      for (int x = 0; x < g.out_width; ++x) {
        double sum = 0;
        int count = 0;
        for (int in_y = 0; in_y < g.in_height; ++in_y) {
          for (int in_x = 0; in_x < g.in_width; ++in_x) {
            // floor(y * in / out) <= in_y < ceil((y + 1) * in / out), without a division.
            const bool row =
                (in_y + 1) * g.out_height > y * g.in_height && in_y * g.out_height < (y + 1) * g.in_height;
            const bool column =
                (in_x + 1) * g.out_width > x * g.in_width && in_x * g.out_width < (x + 1) * g.in_width;
            if (!row || !column) continue;
            const auto place = plane * static_cast<std::size_t>(g.in_height * g.in_width);
            sum += input[place + static_cast<std::size_t>(in_y * g.in_width + in_x)];
            ++count;
          }
        }
        output.push_back(sum / count);
      }
    }
  }
  return output;
}

void check(const AdaptivePoolGeometry& g, int batch) {
  SCOPED_TRACE(testing::Message() << g.in_height << "x" << g.in_width << " to " << g.out_height << "x"
                                  << g.out_width << " NB " << g.block << " batch " << batch);
  const MapGeometry in{g.channels, g.in_height, g.in_width, g.block};
  const MapGeometry out{g.channels, g.out_height, g.out_width, g.block};
  Numbers numbers(52);
  const Doubles input = numbers.uniform(size_of(in, batch));
  const Doubles d_output = numbers.uniform(size_of(out, batch));
  const Map x(in, batch, input);
  const Map dy(out, batch, d_output);
  Map y(out, batch);
  Map dx(in, batch);
  on_team([&] {
    adaptive_avgpool(y, x, g, batch);
    adaptive_avgpool_backward_input(dx, dy, g, batch);
  });
  ASSERT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
  expect_close(y.values(), means(input, g), 1e-6, "output");
  expect_gradient([&](const Doubles& at) { return means(at, g); }, input, d_output, dx.values(), "d_input");
}

}  // namespace

TEST(AdaptiveAvgpool, EqualsTheDefinition) {
  for (const int in : {1, 3, 7, 13}) {
    for (const int out : {1, 2, 6, 7}) {
      for (const Batching& batching : {Batching{1, 1}, {5, 2}, {3, 4}}) {
        check({2, in, 14 - in, out, 3, batching.block}, batching.batch);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(AdaptiveAvgpool, ScalesShiftsAndCutsOffWhatItLoads) {
  for (const Batching& batching : kBatchings) {
    const AdaptivePoolGeometry g{3, 7, 5, 4, 2, batching.block};
    expect_loads({3, 7, 5, batching.block}, {3, 4, 2, batching.block}, batching.batch,
                 [&](Blocked y, const Loaded& x, int images) { adaptive_avgpool(y, x, g, images); });
  }
}

}  // namespace cnn::tests
