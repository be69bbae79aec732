// add of several maps, into a new one and into one of them.
#include "cnn/ops/add.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

TEST(Add, SumsInOrderAndInPlace) {
  for_each_map([](const MapGeometry& g, int batch) {
    Numbers numbers(14);
    const Doubles first = numbers.uniform(size_of(g, batch));
    const Doubles second = numbers.uniform(size_of(g, batch));
    const Doubles third = numbers.uniform(size_of(g, batch));
    const Map a(g, batch, first);
    const Map b(g, batch, second);
    Map c(g, batch, third);
    Map two(g, batch);
    Map three(g, batch);
    on_team([&] {
      add(two, {a, b}, g, batch);
      add(three, {a, b, c}, g, batch);
      add(c, {a, b, c}, g, batch);
    });
    ASSERT_TRUE(two.surroundings_intact() && three.surroundings_intact());
    Doubles sums = first;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] = static_cast<float>(first[i]) + static_cast<float>(second[i]);
    }
    ASSERT_EQ(two.values(), sums);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = static_cast<float>(sums[i]) + static_cast<float>(third[i]);
    ASSERT_EQ(three.values(), sums);
    ASSERT_EQ(c.values(), sums);
  });
}

}  // namespace cnn::tests
