// from_blocked against the definition of the layout.
#include "cnn/ops/layout.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Layout, ComesFromBlocks) {
  for_each_map([](const MapGeometry& g, int batch) {
    const Doubles input = Numbers(16).uniform(size_of(g, batch));
    std::vector<float> images = unwritten(input.size());
    const Map x(g, batch, input);
    on_team([&] { from_blocked(images, x, g, batch); });
    ASSERT_EQ(images, floats(input));
  });
}

TEST(Layout, IsBlocksOfChannelsOfImages) {
  const MapGeometry g{.channels = 2, .height = 1, .width = 2, .block = 2};
  const std::vector<float> blocked = {0, 1, 10, 11, 2, 3, 12, 13, 20, 21, -1, -1, 22, 23, -1, -1};
  std::vector<float> images(12, -1);
  from_blocked(images, {blocked.data(), 8}, g, 3);
  EXPECT_EQ(images, (std::vector<float>{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23}));
}

}  // namespace cnn::tests
