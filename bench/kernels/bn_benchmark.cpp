// Batch normalisation with the batch's statistics. Bytes: each reading and writing of a map once.
#include <fmt/format.h>

#include "cnn/ops/bn.hpp"
#include "measure.hpp"

namespace cnn::bench {

void add_bn() {
  struct Map {
    int channels, size;
  };
  for (const Map& map : {Map{64, 112}, Map{64, 56}, Map{256, 56}, Map{128, 28}, Map{1024, 14}, Map{2048, 7}}) {
    const BnGeometry g{.channels = map.channels, .height = map.size, .width = map.size};
    struct Operands {
      explicit Operands(const BnGeometry& g)
          : input(static_cast<std::size_t>(g.channels) * g.height * g.width * batch), output(input_floats(g)),
            saved(kBnSaved * static_cast<std::size_t>(g.channels)), parameters(saved.get().size()) {}
      static std::size_t input_floats(const BnGeometry& g) { return static_cast<std::size_t>(g.channels) * g.height * g.width * batch; }
      Floats parameter(int number, const BnGeometry& g) const {
        return parameters.get().subspan(static_cast<std::size_t>(number) * g.channels, static_cast<std::size_t>(g.channels));
      }
      double bytes() const { return 4.0 * static_cast<double>(input.get().size()); }
      Values input, output, saved, parameters;
    };
    const std::string shape = fmt::format("{}x{}x{}", map.channels, map.size, map.size);
    add("bn/forward/" + shape, [g](benchmark::State& state) {
      const Operands o(g);
      measure(state, 0, 3 * o.bytes(), [&] {
        bn(o.output.images(), o.saved, o.input.images(), o.parameter(0, g), o.parameter(1, g), o.parameter(2, g), o.parameter(3, g),
           Activation::kRelu, g, batch);
      });
    });
    add("bn/statistics/" + shape, [g](benchmark::State& state) {
      const Operands o(g);
      measure(state, 0, o.bytes(), [&] {
        bn_statistics(o.saved, o.input.images(), o.parameter(0, g), o.parameter(1, g), o.parameter(2, g), o.parameter(3, g), g, batch);
      });
    });
    add("bn/backward/" + shape, [g](benchmark::State& state) {
      const Operands o(g);
      measure(state, 0, 5 * o.bytes(), [&] {
        bn_backward(o.output.images(), o.parameter(0, g), o.parameter(1, g), o.output.images(), o.input.images(), o.saved,
                    Activation::kRelu, g, batch);
      });
    });
  }
}

}  // namespace cnn::bench
