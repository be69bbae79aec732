// mul of two maps, and of a map and a value a channel on either side.
#include "cnn/ops/mul.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

Doubles products(const Doubles& first, const Doubles& second) {
  const std::size_t size = std::max(first.size(), second.size());
  Doubles result(size);
  for (std::size_t i = 0; i < size; ++i) {
    result[i] = first[i / (size / first.size())] * second[i / (size / second.size())];
  }
  return result;
}

MapGeometry arm(const MulGeometry& g, int which) {
  return g.broadcast == which + 1 ? MapGeometry{.channels = g.channels, .block = g.block} : g.map();
}

struct MulRun {
  Doubles inputs[2], d_output, output, d_inputs[2];

  MulRun(const MulGeometry& g, int batch) {
    Numbers numbers(40);
    for (int which = 0; which < 2; ++which) inputs[which] = numbers.uniform(size_of(arm(g, which), batch));
    d_output = numbers.uniform(size_of(g.map(), batch));
    const Map a(arm(g, 0), batch, inputs[0]);
    const Map b(arm(g, 1), batch, inputs[1]);
    const Map dy(g.map(), batch, d_output);
    Map y(g.map(), batch);
    Map da(arm(g, 0), batch);
    Map db(arm(g, 1), batch);
    Map in_place(g.map(), batch, inputs[g.broadcast == 1 ? 1 : 0]);
    on_team([&] {
      mul(y, {a, b}, g, batch);
      mul_backward_input(da, dy, {a, b}, g, 0, batch);
      mul_backward_input(db, dy, {a, b}, g, 1, batch);
      if (g.broadcast == 1) {
        mul(in_place, {a, in_place}, g, batch);
      } else {
        mul(in_place, {in_place, b}, g, batch);
      }
    });
    EXPECT_TRUE(y.surroundings_intact() && da.surroundings_intact() && db.surroundings_intact());
    output = y.values();
    d_inputs[0] = da.values();
    d_inputs[1] = db.values();
    EXPECT_EQ(output, in_place.values());
  }
};

}  // namespace

TEST(Mul, EqualsTheDefinition) {
  for (const int broadcast : {0, 1, 2}) {
    for_each_map([broadcast](const MapGeometry& map, int batch) {
      const MulRun run({map.channels, map.height, map.width, map.block, broadcast}, batch);
      expect_close(run.output, products(run.inputs[0], run.inputs[1]), 1e-7, "output");
      for (int which = 0; which < 2; ++which) {
        Doubles expected(run.inputs[which].size());
        const Doubles terms = products(run.d_output, run.inputs[1 - which]);
        for (std::size_t i = 0; i < terms.size(); ++i)
          expected[i / (terms.size() / expected.size())] += terms[i];
        expect_close(run.d_inputs[which], expected, 1e-6, "d_input", 1);
      }
    });
  }
}

TEST(Mul, GradientsEqualCentralDifferences) {
  for (const int broadcast : {0, 1, 2}) {
    const MulRun run({3, 4, 5, 2, broadcast}, 3);
    expect_gradient([&](const Doubles& at) { return products(at, run.inputs[1]); }, run.inputs[0],
                    run.d_output, run.d_inputs[0], "first");
    expect_gradient([&](const Doubles& at) { return products(run.inputs[0], at); }, run.inputs[1],
                    run.d_output, run.d_inputs[1], "second");
  }
}

}  // namespace cnn::tests
