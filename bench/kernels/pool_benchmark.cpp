// Max pooling, and the mean of each channel.
#include <fmt/format.h>

#include <vector>

#include "cnn/ops/gap.hpp"
#include "cnn/ops/maxpool.hpp"
#include "measure.hpp"

namespace cnn::bench {

void add_pools() {
  struct Map {
    int channels, size;
  };
  for (const Map& map : {Map{64, 112}, Map{192, 56}, Map{480, 28}}) {
    const PoolGeometry g{.channels = map.channels, .in_height = map.size, .in_width = map.size, .out_height = map.size / 2,
                         .out_width = map.size / 2, .kernel_height = 3, .kernel_width = 3, .stride_height = 2,
                         .stride_width = 2, .pad_top = 1, .pad_left = 1};
    const auto inputs = static_cast<std::size_t>(map.channels) * map.size * map.size;
    const std::string shape = fmt::format("{}x{}x{}", map.channels, map.size, map.size);
    add("maxpool/forward/" + shape, [=](benchmark::State& state) {
      const Values input(inputs * batch), output(inputs / 4 * batch), affine(2 * static_cast<std::size_t>(map.channels));
      std::vector<std::uint8_t> saved(output.get().size());
      measure(state, 0, 4.0 * static_cast<double>(input.get().size() + output.get().size()),
              [&] { maxpool(output.images(), saved, {input.images(), affine, Activation::kRelu}, g, batch); });
    });
    add("maxpool/input/" + shape, [=](benchmark::State& state) {
      const Values input(inputs * batch), output(inputs / 4 * batch);
      const std::vector<std::uint8_t> saved(output.get().size(), 4);
      measure(state, 0, 4.0 * static_cast<double>(input.get().size() + output.get().size()),
              [&] { maxpool_backward_input(input.images(), output.images(), saved, g, batch); });
    });
  }
  for (const Map& map : {Map{512, 7}, Map{2048, 7}}) {
    add(fmt::format("gap/forward/{}x{}x{}", map.channels, map.size, map.size), [=](benchmark::State& state) {
      const Values input(static_cast<std::size_t>(map.channels) * map.size * map.size * batch);
      const Values output(static_cast<std::size_t>(map.channels) * batch);
      measure(state, 0, 4.0 * static_cast<double>(input.get().size()),
              [&] { gap(output.images(), input.images(), {map.channels, map.size, map.size, 1}, batch); });
    });
  }
}

}  // namespace cnn::bench
