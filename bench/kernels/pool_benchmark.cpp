// Max pooling, and the mean of each channel.
#include <fmt/format.h>

#include <vector>

#include "cnn/ops/avgpool.hpp"
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
  for (const Map& map : {Map{192, 28}, Map{512, 14}}) {  // as in inception blocks, and before an auxiliary head
    const PoolGeometry same{.channels = map.channels, .in_height = map.size, .in_width = map.size, .out_height = map.size, .out_width = map.size,
                            .kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_left = 1};
    PoolGeometry head = same;
    head.kernel_height = head.kernel_width = 5, head.stride_height = head.stride_width = 3, head.pad_top = head.pad_left = 0;
    head.out_height = head.out_width = (map.size - 5) / 3 + 1;
    const auto inputs = static_cast<std::size_t>(map.channels) * map.size * map.size;
    const auto outputs = static_cast<std::size_t>(map.channels) * head.out_height * head.out_width;
    const std::string shape = fmt::format("{}x{}x{}", map.channels, map.size, map.size);
    add("maxpool/forward/1/" + shape, [=](benchmark::State& state) {
      const Values input(inputs * batch), output(inputs * batch);
      std::vector<std::uint8_t> saved(output.get().size());
      measure(state, 0, 8.0 * static_cast<double>(input.get().size()), [&] { maxpool(output.images(), saved, input.images(), same, batch); });
    });
    add("maxpool/input/1/" + shape, [=](benchmark::State& state) {
      const Values input(inputs * batch), output(inputs * batch);
      std::vector<std::uint8_t> saved(output.get().size());
      maxpool(output.images(), saved, input.images(), same, batch);
      measure(state, 0, 8.0 * static_cast<double>(input.get().size()), [&] { maxpool_backward_input(input.images(), output.images(), saved, same, batch); });
    });
    add("avgpool/forward/" + shape, [=](benchmark::State& state) {
      const Values input(inputs * batch), output(outputs * batch);
      measure(state, 0, 4.0 * static_cast<double>(input.get().size()), [&] { avgpool(output.images(), input.images(), head, batch); });
    });
    add("avgpool/input/" + shape, [=](benchmark::State& state) {
      const Values input(inputs * batch), output(outputs * batch);
      measure(state, 0, 4.0 * static_cast<double>(input.get().size()), [&] { avgpool_backward_input(input.images(), output.images(), head, batch); });
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
