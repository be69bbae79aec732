// Sums maps through a small buffer, so that no input is overwritten before it is read.
#include "cnn/ops/add.hpp"

#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

constexpr std::ptrdiff_t kPiece = 512;

// sum = or += the input's elements as they are loaded.
template <class Map>
void take(float* __restrict sum, const float* __restrict in, std::ptrdiff_t size, bool first, Map&& map) {
  if (first) {
    for (std::ptrdiff_t i = 0; i < size; ++i) sum[i] = map(in[i]);
  } else {
    for (std::ptrdiff_t i = 0; i < size; ++i) sum[i] += map(in[i]);
  }
}

void cut_off(float* sum, std::ptrdiff_t size, Activation activation) {
  if (activation == Activation::kNone) return;
  const float most = most_of(activation);
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    const float value = 0 > sum[i] ? 0 : sum[i];
    sum[i] = most < value ? most : value;
  }
}

}  // namespace

void add(Blocked output, std::initializer_list<Loaded> inputs, Activation activation, const MapGeometry& g, int batch) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(g.block) * g.pixels();
  for_each_channels(g, batch, [&](int block, int channel_begin, int channel_end, int images) {
    const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(images) * g.pixels();
    for (int channel = channel_begin; channel < channel_end; ++channel) {
      for (std::ptrdiff_t begin = 0; begin < count; begin += kPiece) {
        const std::ptrdiff_t size = std::min(kPiece, count - begin);
        const std::ptrdiff_t place = channel * row + begin;
        float sum[kPiece];
        bool first = true;
        for (const Loaded& input : inputs) {
          const float* in = input.map.block(block) + place;
          with_channel_map(input, channel, g.channels, [&](const auto& map) { take(sum, in, size, first, map); });
          first = false;
        }
        cut_off(sum, size, activation);
        std::copy_n(sum, size, output.block(block) + place);
      }
    }
  });
}

}  // namespace cnn
