// maxpool against the definition, and whose gradient goes where.
#include "cnn/ops/maxpool.hpp"

#include <cmath>
#include <limits>

#include "pools.hpp"

namespace cnn::tests {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct MaxpoolRun {
  Doubles output, output_alone, d_input;
  std::vector<std::uint8_t> saved;

  MaxpoolRun(const PoolGeometry& g, int batch, const Doubles& input, const Doubles& d_output) {
    const Map x(pool_input(g), batch, input);
    const Map dy(pool_output(g), batch, d_output);
    Map y(pool_output(g), batch);
    Map alone(pool_output(g), batch);
    Map dx(pool_input(g), batch);
    saved.resize(static_cast<std::size_t>(block_count(batch, g.block) * g.block * pool_output(g).elements()),
                 250);
    on_team([&] {
      maxpool(y, saved, x, g, batch);
      maxpool(alone, x, g, batch);
      maxpool_backward_input(dx, dy, saved, g, batch);
    });
    EXPECT_TRUE(y.surroundings_intact() && alone.surroundings_intact() && dx.surroundings_intact());
    output = y.values();
    output_alone = alone.values();
    d_input = dx.values();
  }
};

// The gradient by definition: each output's goes to the first element of its window that equals it.
Doubles backward_input(const Doubles& input, const Doubles& output, const Doubles& d_output,
                       const PoolGeometry& g) {
  Doubles d_input(input.size());
  const std::size_t pixels = static_cast<std::size_t>(g.out_height * g.out_width);
  for (std::size_t out = 0; out < output.size(); ++out) {
    const std::size_t plane = out / pixels * static_cast<std::size_t>(g.in_height * g.in_width);
    const int first_y = static_cast<int>(out % pixels) / g.out_width * g.stride_height - g.pad_top;
    const int first_x = static_cast<int>(out % pixels) % g.out_width * g.stride_width - g.pad_left;
    for (int place = 0; place < g.kernel_height * g.kernel_width; ++place) {
      const int y = first_y + place / g.kernel_width;
      const int x = first_x + place % g.kernel_width;
      if (y < 0 || y >= g.in_height || x < 0 || x >= g.in_width) continue;
      const std::size_t in = plane + static_cast<std::size_t>(y * g.in_width + x);
      if (input[in] != output[out]) continue;
      d_input[in] += d_output[out];
      break;
    }
  }
  return d_input;
}

// One window over a whole row.
MaxpoolRun row(const Doubles& input) {
  PoolGeometry g;
  g.channels = 1, g.in_height = 1, g.in_width = static_cast<int>(input.size());
  g.kernel_width = g.in_width, g.out_height = g.out_width = 1;
  return {g, 1, input, {1}};
}

}  // namespace

TEST(Maxpool, EqualsTheDefinition) {
  for_each_pool([](const PoolGeometry& g, int batch) {
    Numbers numbers(3);
    Doubles input = numbers.uniform(size_of(pool_input(g), batch), -3, 3);
    for (double& value : input) value = std::round(value);  // many are equal: the first must win
    const Doubles d_output = numbers.uniform(size_of(pool_output(g), batch));
    const MaxpoolRun run(g, batch, input, d_output);
    const Doubles expected = reference::maxpool(input, g, batch);
    ASSERT_EQ(run.output, expected);
    ASSERT_EQ(run.output_alone, expected);
    expect_close(run.d_input, backward_input(input, expected, d_output, g), 1e-6, "d_input");
  });
}

TEST(Maxpool, GradientEqualsCentralDifferences) {
  const PoolGeometry g = overlapping_pool();
  Numbers numbers(4);
  const Doubles input = numbers.uniform(size_of(pool_input(g), 3));
  const Doubles d_output = numbers.uniform(size_of(pool_output(g), 3));
  const MaxpoolRun run(g, 3, input, d_output);
  expect_gradient([&](const Doubles& x) { return reference::maxpool(x, g, 3); }, input, d_output, run.d_input,
                  "d_input");
}

TEST(Maxpool, TheFirstOfEqualsWins) {
  const MaxpoolRun run = row({1, 2, 2, 0, 2});
  EXPECT_EQ(run.saved[0], 1);
  EXPECT_EQ(run.d_input, (Doubles{0, 1, 0, 0, 0}));
}

TEST(Maxpool, NanWinsAsInPyTorch) {
  const MaxpoolRun once = row({1, kNan, 5, kInfinity});
  EXPECT_TRUE(std::isnan(once.output[0]));
  EXPECT_EQ(once.saved[0], 1);
  EXPECT_EQ(row({kNan, kNan, 5}).saved[0], 1);  // the last of several
}

TEST(Maxpool, NanWinsInHalvesToo) {
  PoolGeometry g;
  g.channels = 1, g.in_height = 2, g.in_width = 6, g.kernel_height = g.kernel_width = 2;
  g.stride_height = g.stride_width = 2, g.out_height = 1, g.out_width = 3;
  const MaxpoolRun run(g, 1, {kNan, 9, 1, kNan, -kInfinity, -kInfinity, 8, 7, kNan, 9, -kInfinity, 4},
                       {1, 1, 1});
  EXPECT_EQ(run.saved, (std::vector<std::uint8_t>{0, 2, 3}));
  EXPECT_TRUE(std::isnan(run.output[0]) && std::isnan(run.output[1]));
  EXPECT_EQ(run.output[2], 4);
}

// In maps whose other windows are done by vectors.
TEST(Maxpool, NanAndInfinityLeaveOtherWindowsAlone) {
  for (const int stride : {1, 2}) {
    PoolGeometry g;
    g.channels = 2, g.in_height = 33, g.in_width = 71, g.kernel_height = g.kernel_width = 3;
    g.stride_height = g.stride_width = stride, g.pad_top = g.pad_left = 1;
    ASSERT_TRUE(reference::complete(g, false));
    Numbers numbers(7);
    Doubles input = numbers.uniform(size_of(pool_input(g), 1));
    const std::size_t width = 71, plane = 33 * width;
    input[5 * width + 40] = input[20 * width + 70] = input[plane - 1] = kNan;
    for (std::size_t y = 10; y < 16; ++y) std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(plane + y * width + 30), 6, -kInfinity);
    const MaxpoolRun run(g, 1, input, Doubles(size_of(pool_output(g), 1), 1));
    const Doubles expected = reference::maxpool(input, g, 1);
    int nans = 0, nothing = 0;
    for (std::size_t out = 0; out < expected.size(); ++out) {
      const auto pixels = static_cast<std::size_t>(g.out_height * g.out_width);
      const int y = static_cast<int>(out % pixels) / g.out_width * stride - 1 + run.saved[out] / 3;
      const int x = static_cast<int>(out % pixels) % g.out_width * stride - 1 + run.saved[out] % 3;
      ASSERT_TRUE(y >= 0 && y < 33 && x >= 0 && x < 71) << "stride " << stride << " output " << out;
      const double winner = input[out / pixels * plane + static_cast<std::size_t>(y * 71 + x)];
      for (const double value : {run.output[out], run.output_alone[out], winner}) {
        ASSERT_TRUE(std::isnan(expected[out]) ? std::isnan(value) : value == expected[out]) << "stride " << stride << " output " << out;
      }
      nans += std::isnan(expected[out]) ? 1 : 0;
      nothing += expected[out] == -kInfinity ? 1 : 0;
    }
    EXPECT_GE(nans, 4);
    EXPECT_GE(nothing, 4);
  }
}

TEST(Maxpool, MinusInfinityCanWin) {
  const MaxpoolRun run = row({-kInfinity, -kInfinity});
  EXPECT_EQ(run.output[0], -kInfinity);
  EXPECT_EQ(run.saved[0], 0);
}

TEST(Maxpool, AWindowOfPaddingHasNoWinner) {
  PoolGeometry g;
  g.channels = 1, g.in_height = g.in_width = 1, g.pad_left = 2, g.out_height = 1, g.out_width = 5;
  const MaxpoolRun run(g, 1, {7}, {1, 2, 3, 4, 5});
  EXPECT_EQ(run.output, (Doubles{-kInfinity, -kInfinity, 7, -kInfinity, -kInfinity}));
  EXPECT_EQ(run.d_input, (Doubles{3}));
}

TEST(Maxpool, EqualsPyTorch) {
  EXPECT_EQ(MaxpoolRun(pytorch_ceil_pool(), 1, pytorch_input(), Doubles(12, 1)).output,
            (Doubles{6, 8, -5, 11, 11, -5, 11, 11, 6, 8, 8, -2}));
}

TEST(Maxpool, PaddingMayBeOnOneSideAlone) {
  const MaxpoolRun run(pytorch_asymmetric_pool(), 1, pytorch_input(), Doubles(9, 1));
  EXPECT_EQ(run.output, (Doubles{8, 8, 6, 11, 11, 6, 8, 8, 6}));
  EXPECT_EQ(run.d_input[29], 2);  // the 6 at the right edge wins the two lowest windows there
}

}  // namespace cnn::tests
