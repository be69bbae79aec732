// Softmax for some pixels at a time, so that loops run along them in memory.
#include "cnn/ops/softmax.hpp"

#include "cnn/core/elementary.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

constexpr int kColumns = 64;  // pixels of a tile

// Calls work(block, first pixel in [NB][H][W], pixels) as tiles of the team.
template <class Work>
void for_each_columns(const MapGeometry& g, int batch, Work&& work) {
  const int tiles = (g.block * g.pixels() + kColumns - 1) / kColumns;
  for_each_tile(block_count(batch, g.block) * tiles, [&](int tile) {
    const int block = tile / tiles;
    const int begin = tile % tiles * kColumns;
    const int end = std::min(begin + kColumns, images_in_block(batch, g.block, block) * g.pixels());
    if (begin < end) work(block, begin, end - begin);
  });
}

}  // namespace

void softmax(Blocked output, ConstBlocked input, const MapGeometry& g, int batch) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(g.block) * g.pixels();
  for_each_columns(g, batch, [&](int block, int begin, int count) {
    const float* in = input.block(block) + begin;
    float* out = output.block(block) + begin;
    float largest[kColumns];
    float sum[kColumns] = {};
    std::copy_n(in, count, largest);
    for (int channel = 1; channel < g.channels; ++channel) {
      for (int i = 0; i < count; ++i) largest[i] = std::max(largest[i], in[channel * row + i]);
    }
    for (int channel = 0; channel < g.channels; ++channel) {
      for (int i = 0; i < count; ++i) {
        const float power = exponential(in[channel * row + i] - largest[i]);
        out[channel * row + i] = power;
        sum[i] += power;
      }
    }
    for (int channel = 0; channel < g.channels; ++channel) {
      for (int i = 0; i < count; ++i) out[channel * row + i] /= sum[i];
    }
  });
}

void softmax_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked output, const MapGeometry& g,
                            int batch) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(g.block) * g.pixels();
  for_each_columns(g, batch, [&](int block, int begin, int count) {
    const float* d_out = d_output.block(block) + begin;
    const float* out = output.block(block) + begin;
    float* d_in = d_input.block(block) + begin;
    float sum[kColumns] = {};
    for (int channel = 0; channel < g.channels; ++channel) {
      for (int i = 0; i < count; ++i) sum[i] += out[channel * row + i] * d_out[channel * row + i];
    }
    for (int channel = 0; channel < g.channels; ++channel) {
      for (int i = 0; i < count; ++i) {
        d_in[channel * row + i] = out[channel * row + i] * (d_out[channel * row + i] - sum[i]);
      }
    }
  });
}

}  // namespace cnn
