// mul of whole maps and of scales, each gradient against differences.
#include "cnn/ops/mul.hpp"

#include "elementwise.hpp"

namespace cnn::tests {

namespace {

// What one product takes: for each input whether it is a scale.
using Scales = std::vector<bool>;

Doubles product(const std::vector<Doubles>& inputs, const Scales& scales, const MapGeometry& g, int batch) {
  Doubles output(size_of(g, batch), 1);
  for (std::size_t i = 0; i < output.size(); ++i) {
    for (std::size_t arm = 0; arm < inputs.size(); ++arm) {
      output[i] *= inputs[arm][scales[arm] ? i / static_cast<std::size_t>(g.pixels()) : i];
    }
  }
  return output;
}

struct Operands {
  MapGeometry map, flat;
  MulGeometry g;
  std::vector<Doubles> inputs;
  std::vector<Map> maps;

  Operands(const MapGeometry& map, int batch, const Scales& scales)
      : map(map),
        flat{.channels = map.channels, .block = map.block},
        g{map.channels, map.height, map.width, map.block} {
    Numbers numbers(55);
    for (std::size_t arm = 0; arm < scales.size(); ++arm) {
      g.scales[arm] = scales[arm];
      const MapGeometry& own = scales[arm] ? flat : map;
      inputs.push_back(numbers.uniform(size_of(own, batch), -2, 2));
      maps.emplace_back(own, batch, inputs.back());
    }
  }
};

// A call with as many inputs as there are.
template <class Call>
void with_inputs(const std::vector<Map>& maps, Call&& call) {
  switch (maps.size()) {
    case 2:
      return call({maps[0], maps[1]});
    case 3:
      return call({maps[0], maps[1], maps[2]});
    case 4:
      return call({maps[0], maps[1], maps[2], maps[3]});
    default:
      FAIL() << "no call for " << maps.size() << " inputs";
  }
}

const std::vector<Scales> kProducts = {{false, true},
                                       {true, false},
                                       {false, false},
                                       {false, false, false},
                                       {true, false, true, false},
                                       {false, false, true, false}};

}  // namespace

TEST(Mul, EqualsTheDefinition) {
  for (const Scales& scales : kProducts) {
    for_each_map([&](const MapGeometry& map, int batch) {
      const Operands operands(map, batch, scales);
      Map y(map, batch);
      on_team([&] {
        with_inputs(operands.maps,
                    [&](std::initializer_list<ConstBlocked> inputs) { mul(y, inputs, operands.g, batch); });
      });
      ASSERT_TRUE(y.surroundings_intact());
      expect_close(y.values(), product(operands.inputs, scales, map, batch), 1e-6, "output");
    });
  }
}

TEST(Mul, GradientsEqualCentralDifferences) {
  for (const Scales& scales : kProducts) {
    for (const Batching& batching : {Batching{1, 1}, {5, 2}, {5, 4}}) {
      const MapGeometry map{5, 4, 3, batching.block};
      const Operands operands(map, batching.batch, scales);
      const Doubles d_output = Numbers(56).uniform(size_of(map, batching.batch));
      const Map dy(map, batching.batch, d_output);
      for (std::size_t arm = 0; arm < scales.size(); ++arm) {
        Map dx(scales[arm] ? operands.flat : map, batching.batch);
        on_team([&] {
          with_inputs(operands.maps, [&](std::initializer_list<ConstBlocked> inputs) {
            mul_backward_input(dx, dy, inputs, static_cast<int>(arm), operands.g, batching.batch);
          });
        });
        ASSERT_TRUE(dx.surroundings_intact());
        const auto forward = [&](const Doubles& at) {
          std::vector<Doubles> moved = operands.inputs;
          moved[arm] = at;
          return product(moved, scales, map, batching.batch);
        };
        expect_gradient(forward, operands.inputs[arm], d_output, dx.values(),
                        "d_input of arm " + std::to_string(arm));
      }
    }
  }
}

}  // namespace cnn::tests
