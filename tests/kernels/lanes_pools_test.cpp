// Pools on lanes against those of maps, which are tested against the definition; and the way into lanes.
#include "cnn/ops/avgpool.hpp"
#include "cnn/ops/lanes/avgpool.hpp"
#include "cnn/ops/lanes/layout.hpp"
#include "cnn/ops/lanes/maxpool.hpp"
#include "lanes.hpp"
#include "pools.hpp"

namespace cnn::tests {

namespace {

MapGeometry input_on_lanes(const PoolGeometry& g) { return on_lanes(g.channels, g.in_height, g.in_width); }
MapGeometry output_on_lanes(const PoolGeometry& g) { return on_lanes(g.channels, g.out_height, g.out_width); }

// Calls check(geometry, batch) for the pools' shapes, with batches of lanes instead of the pools' own.
template <class Check>
void for_each_lanes_pool(Check&& check) {
  int calls = 0;
  for_each_pool([&](PoolGeometry g, int) {
    if (g.block != 1) return;
    check(g, kLaneBatches[calls++ % std::size(kLaneBatches)]);
  });
}

}  // namespace

TEST(LanesAvgpool, EqualsTheDefinition) {
  for (const bool count_include_pad : {true, false}) {
    for_each_lanes_pool([&](PoolGeometry g, int batch) {
      g.count_include_pad = count_include_pad;
      Numbers numbers(5);
      const Doubles input = numbers.uniform(size_of(pool_input(g), batch));
      const Doubles d_output = numbers.uniform(size_of(pool_output(g), batch));
      const Map x(input_on_lanes(g), batch, input), dy(output_on_lanes(g), batch, d_output);
      const Map plain_dy(pool_output(g), batch, d_output);
      Map y(output_on_lanes(g), batch), dx(input_on_lanes(g), batch), plain_dx(pool_input(g), batch);
      on_team([&] {
        lanes::avgpool(y, x, g, batch);
        lanes::avgpool_backward_input(dx, dy, g, batch);
        avgpool_backward_input(plain_dx, plain_dy, g, batch);
      });
      EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
      expect_close(y.values(), reference::avgpool(input, g, batch), 1e-6, "output");
      expect_close(dx.values(), plain_dx.values(), 1e-6, "d_input");
    });
  }
}

TEST(LanesAvgpool, GradientEqualsCentralDifferences) {
  PoolGeometry g = overlapping_pool();
  g.block = lanes::kImages;
  Numbers numbers(6);
  const Doubles input = numbers.uniform(size_of(pool_input(g), 3)), d_output = numbers.uniform(size_of(pool_output(g), 3));
  const Map dy(output_on_lanes(g), 3, d_output);
  Map dx(input_on_lanes(g), 3);
  on_team([&] { lanes::avgpool_backward_input(dx, dy, g, 3); });
  expect_gradient([&](const Doubles& x) { return reference::avgpool(x, g, 3); }, input, d_output, dx.values(), "d_input");
}

TEST(LanesMaxpool, EqualsThatOfMaps) {
  for_each_lanes_pool([](const PoolGeometry& g, int batch) {
    Numbers numbers(7);
    Doubles input = numbers.uniform(size_of(pool_input(g), batch));
    for (std::size_t i = 0; i < input.size(); i += 3) input[i] = 0.5;  // the first of equals wins
    const Doubles d_output = numbers.uniform(size_of(pool_output(g), batch));
    const Map x(input_on_lanes(g), batch, input), dy(output_on_lanes(g), batch, d_output);
    const Map plain_x(pool_input(g), batch, input), plain_dy(pool_output(g), batch, d_output);
    Map y(output_on_lanes(g), batch), dx(input_on_lanes(g), batch), again(output_on_lanes(g), batch);
    Map plain_y(pool_output(g), batch), plain_dx(pool_input(g), batch);
    const int outputs = g.channels * g.out_height * g.out_width;
    std::vector<std::uint8_t> saved(static_cast<std::size_t>(outputs * block_count(batch, 16) * 16)), plain_saved(saved.size());
    on_team([&] {
      lanes::maxpool(y, saved, x, g, batch);
      lanes::maxpool(again, x, g, batch);
      lanes::maxpool_backward_input(dx, dy, saved, g, batch);
      maxpool(plain_y, plain_saved, plain_x, g, batch);
      maxpool_backward_input(plain_dx, plain_dy, plain_saved, g, batch);
    });
    EXPECT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    ASSERT_EQ(y.values(), plain_y.values());
    ASSERT_EQ(again.values(), plain_y.values());
    expect_close(dx.values(), plain_dx.values(), 1e-6, "d_input");
  });
}

TEST(LanesMaxpool, ANaNWins) {
  PoolGeometry g;
  g.channels = 1, g.in_height = 1, g.in_width = 3, g.kernel_width = 3, g.stride_width = 3, g.out_height = g.out_width = 1;
  const Map x(input_on_lanes(g), 1, {3, std::numeric_limits<double>::quiet_NaN(), 9});
  Map y(output_on_lanes(g), 1);
  on_team([&] { lanes::maxpool(y, x, g, 1); });
  EXPECT_TRUE(std::isnan(y.values()[0]));
}

TEST(ToLanes, PutsImagesInnermostAndZerosInThePlacesOfMissingOnes) {
  for (const auto& [channels, height, width] : {std::tuple{1, 1, 1}, {3, 7, 13}, {1, 32, 32}, {5, 40, 41}}) {
    for (const int batch : kLaneBatches) {
      const MapGeometry g = on_lanes(channels, height, width);
      Numbers numbers(8);
      const Doubles images = numbers.uniform(size_of(g, batch));
      const std::vector<float> plain = floats(images);
      Map output(g, batch);
      on_team([&] { lanes::to_lanes(output, plain, g, batch); });
      EXPECT_TRUE(output.surroundings_intact());
      ASSERT_EQ(output.values(), images);
      const ConstBlocked blocks = output;
      const float* last = blocks.block(block_count(batch, lanes::kImages) - 1);
      for (int lane = (batch - 1) % lanes::kImages + 1; lane < lanes::kImages; ++lane) {
        for (int i = 0; i < g.elements(); ++i) ASSERT_EQ(last[i * lanes::kImages + lane], 0);
      }
    }
  }
}

}  // namespace cnn::tests
