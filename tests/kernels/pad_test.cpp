// pad and its gradient, with padding on any side and with rows cut off.
#include "cnn/ops/pad.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

MapGeometry input_of(const PadGeometry& g) {
  return {g.channels, g.in_height, g.in_width, g.block};
}
MapGeometry output_of(const PadGeometry& g) {
  return {g.channels, g.out_height, g.out_width, g.block};
}

Doubles padded(const Doubles& input, const PadGeometry& g) {
  const auto planes = input.size() / static_cast<std::size_t>(input_of(g).pixels());
  Doubles output;
  for (std::size_t plane = 0; plane < planes; ++plane) {
    for (int y = -g.top; y < g.out_height - g.top; ++y) {
      for (int x = -g.left; x < g.out_width - g.left; ++x) {
        const bool inside = y >= 0 && y < g.in_height && x >= 0 && x < g.in_width;
        const auto place = static_cast<std::size_t>(y * g.in_width + x);
        output.push_back(inside ? input[plane * static_cast<std::size_t>(input_of(g).pixels()) + place] : 0);
      }
    }
  }
  return output;
}

struct Sides {
  int top, bottom, left, right;
};
constexpr Sides kSides[] = {{0, 0, 0, 0}, {1, 1, 1, 1},   {0, 1, 0, 1},
                            {3, 0, 2, 5}, {-1, 2, 1, -2}, {0, -2, -1, 0}};

}  // namespace

TEST(Pad, EqualsTheDefinitionAndSoDoesItsGradient) {
  int checked = 0;
  for (const Sides& sides : kSides) {
    for_each_map([&](const MapGeometry& map, int batch) {
      const PadGeometry g{map.channels,
                          map.height,
                          map.width,
                          map.height + sides.top + sides.bottom,
                          map.width + sides.left + sides.right,
                          sides.top,
                          sides.left,
                          map.block};
      if (g.out_height < 1 || g.out_width < 1) return;
      ++checked;
      Numbers numbers(47);
      const Doubles input = numbers.uniform(size_of(map, batch));
      const Doubles d_output = numbers.uniform(size_of(output_of(g), batch));
      const Map x(map, batch, input);
      const Map dy(output_of(g), batch, d_output);
      Map y(output_of(g), batch);
      Map dx(map, batch);
      on_team([&] {
        pad(y, x, g, batch);
        pad_backward_input(dx, dy, g, batch);
      });
      ASSERT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
      ASSERT_EQ(y.values(), padded(input, g));
      if (input.size() > 300) return;  // differences for each element take their time
      expect_gradient([&](const Doubles& at) { return padded(at, g); }, input, d_output, dx.values(),
                      "d_input");
    });
  }
  EXPECT_GT(checked, 100);
}

}  // namespace cnn::tests
