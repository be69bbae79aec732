// to_blocked and from_blocked against the definition of the layout.
#include "cnn/ops/layout.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Layout, GoesToBlocksAndBack) {
  for_each_map([](const MapGeometry& g, int batch) {
    const Doubles input = Numbers(16).uniform(size_of(g, batch));
    const std::vector<float> images = floats(input);
    std::vector<float> back = unwritten(images.size());
    Map x(g, batch);
    on_team([&] {
      to_blocked(x, images, g, batch);
      from_blocked(back, x, g, batch);
    });
    ASSERT_TRUE(x.surroundings_intact());
    ASSERT_EQ(x.values(), input);
    ASSERT_EQ(back, images);
  });
}

TEST(Layout, IsBlocksOfChannelsOfImages) {
  const MapGeometry g{.channels = 2, .height = 1, .width = 2, .block = 2};
  const std::vector<float> images = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};
  std::vector<float> blocked(16, -1);
  to_blocked({blocked.data(), 8}, images, g, 3);
  EXPECT_EQ(blocked, (std::vector<float>{0, 1, 10, 11, 2, 3, 12, 13, 20, 21, -1, -1, 22, 23, -1, -1}));
}

}  // namespace cnn::tests
