// avgpool against the definition, with each way to count a window.
#include "cnn/ops/avgpool.hpp"

#include "pools.hpp"

namespace cnn::tests {

namespace {

struct AvgpoolRun {
  Doubles output, d_input;

  AvgpoolRun(const PoolGeometry& g, int batch, const Doubles& input, const Doubles& d_output) {
    const Map x(pool_input(g), batch, input);
    const Map dy(pool_output(g), batch, d_output);
    Map y(pool_output(g), batch);
    Map dx(pool_input(g), batch);
    on_team([&] {
      avgpool(y, x, g, batch);
      avgpool_backward_input(dx, dy, g, batch);
    });
    EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    output = y.values();
    d_input = dx.values();
  }
};

// <d_output, avgpool(input)> = <avgpool's adjoint of d_output, input>, for each unit input of a few.
void check_adjoint(const PoolGeometry& g, int batch, const Doubles& d_output, const Doubles& d_input) {
  Doubles unit(d_input.size());
  for (std::size_t i = 0; i < unit.size(); i += 1 + unit.size() / 16) {
    unit[i] = 1;
    const Doubles output = reference::avgpool(unit, g, batch);
    unit[i] = 0;
    double expected = 0;
    for (std::size_t o = 0; o < output.size(); ++o) expected += output[o] * d_output[o];
    ASSERT_NEAR(d_input[i], expected, 2e-6) << "d_input[" << i << "]";
  }
}

void check(const PoolGeometry& g, int batch) {
  Numbers numbers(5);
  const Doubles input = numbers.uniform(size_of(pool_input(g), batch));
  const Doubles d_output = numbers.uniform(size_of(pool_output(g), batch));
  const AvgpoolRun run(g, batch, input, d_output);
  expect_close(run.output, reference::avgpool(input, g, batch), 1e-6, "output");
  check_adjoint(g, batch, d_output, run.d_input);
}

}  // namespace

TEST(Avgpool, EqualsTheDefinition) {
  for (const bool count_include_pad : {true, false}) {
    for_each_pool([count_include_pad](PoolGeometry g, int batch) {
      g.count_include_pad = count_include_pad;
      check(g, batch);
    });
  }
}

TEST(Avgpool, EqualsTheDefinitionWithWindowsWiderThanWhatIsSummedTogether) {
  check({.channels = 2, .in_height = 3, .in_width = 1300, .out_height = 2, .out_width = 15, .kernel_height = 2, .kernel_width = 600,
         .stride_width = 50, .pad_left = 5},
        2);
  check({.channels = 2, .in_height = 2, .in_width = 1200, .out_height = 1, .out_width = 400, .kernel_height = 2, .kernel_width = 3,
         .stride_width = 3},
        2);
}

TEST(Avgpool, GradientEqualsCentralDifferences) {
  for (const bool count_include_pad : {true, false}) {
    PoolGeometry g = overlapping_pool();
    g.count_include_pad = count_include_pad;
    Numbers numbers(6);
    const Doubles input = numbers.uniform(size_of(pool_input(g), 3));
    const Doubles d_output = numbers.uniform(size_of(pool_output(g), 3));
    const AvgpoolRun run(g, 3, input, d_output);
    expect_gradient([&](const Doubles& x) { return reference::avgpool(x, g, 3); }, input, d_output,
                    run.d_input, "d_input");
  }
}

TEST(Avgpool, CountsThePaddingButNotTheOverhang) {
  PoolGeometry g;
  g.channels = 1, g.in_height = 1, g.in_width = 4, g.kernel_width = 3, g.stride_width = 3, g.pad_left = 1;
  ASSERT_TRUE(reference::complete(g, true));
  ASSERT_EQ(g.out_width, 2);
  EXPECT_EQ(AvgpoolRun(g, 1, {3, 6, 9, 12}, {1, 1}).output,
            (Doubles{3, 7}));  // the last reaches to the padding's end
  g.in_width = 3;
  ASSERT_TRUE(reference::complete(g, true));
  EXPECT_EQ(AvgpoolRun(g, 1, {3, 6, 9}, {1, 1}).output,
            (Doubles{3, 4.5}));  // 9 and a zero; a third place is overhang
  g.count_include_pad = false;
  EXPECT_EQ(AvgpoolRun(g, 1, {3, 6, 9}, {1, 1}).output, (Doubles{4.5, 9}));
}

TEST(Avgpool, EqualsPyTorch) {
  PoolGeometry g = pytorch_ceil_pool();
  const Doubles ones(12, 1);
  expect_close(AvgpoolRun(g, 1, pytorch_input(), ones).output,
               {-0.833333, 0.166667, -1.666667, 2.5, 2.666667, -3.833333, 3, 2, -1.166667, 2, 3.5, -0.5},
               1e-6, "counting the padding");
  g.count_include_pad = false;
  expect_close(AvgpoolRun(g, 1, pytorch_input(), ones).output,
               {-2.5, 0.25, -5, 5, 2.666667, -7.666667, 6, 2, -2.333333, 8, 7, -2}, 1e-6, "not counting it");
}

TEST(Avgpool, PaddingMayBeOnOneSideAlone) {
  PoolGeometry g = pytorch_asymmetric_pool();
  g.count_include_pad = false;
  const AvgpoolRun run(g, 1, pytorch_input(), Doubles(9, 1));
  expect_close(run.output, {-0.777778, -0.777778, -4, -1.555556, -2.888889, -5.833333, 1.333333, -1, -1.5},
               1e-6, "output");
  EXPECT_FLOAT_EQ(static_cast<float>(run.d_input[35]), 0.25f);  // in one window, of 2x2 elements
  EXPECT_FLOAT_EQ(static_cast<float>(run.d_input[0]), 1.0f / 9);
}

TEST(Avgpool, ScalesShiftsAndCutsOffWhatItLoads) {
  for_each_pool([](const PoolGeometry& g, int batch) {
    expect_loads(pool_input(g), pool_output(g), batch, [&](Blocked y, const Loaded& x, int images) { avgpool(y, x, g, images); });
  });
}

}  // namespace cnn::tests
