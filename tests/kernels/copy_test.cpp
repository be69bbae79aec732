// copy moves the images, and nothing else.
#include "cnn/ops/copy.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Copy, MovesTheImages) {
  for_each_map([](const MapGeometry& g, int batch) {
    const Doubles input = Numbers(15).uniform(size_of(g, batch));
    const Map x(g, batch, input);
    Map y(g, batch);
    on_team([&] { copy(y, x, g, batch); });
    ASSERT_TRUE(y.surroundings_intact());
    ASSERT_EQ(y.values(), input);
  });
}

}  // namespace cnn::tests
