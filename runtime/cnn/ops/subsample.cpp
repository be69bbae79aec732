// Subsampling, a row of windows at a time.
#include "cnn/ops/subsample.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

constexpr int kPiece = 64;

MapGeometry input_map(const PoolGeometry& g) {
  return {g.channels, g.in_height, g.in_width, g.block};
}
std::ptrdiff_t in_pixels(const PoolGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
}
std::ptrdiff_t out_pixels(const PoolGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
}
float share_of(const PoolGeometry& g) {
  return 1 / static_cast<float>(g.kernel_height * g.kernel_width);
}

// Calls visit(sums of windows, first output's place, count) for pieces of a plane's rows.
template <class Visit>
void for_each_sums(const float* plane, const PoolGeometry& g, Visit&& visit) {
  for (int y = 0; y < g.out_height; ++y) {
    for (int begin = 0; begin < g.out_width; begin += kPiece) {
      const int count = std::min(kPiece, g.out_width - begin);
      float sums[kPiece] = {};
      for (int tap = 0; tap < g.kernel_height * g.kernel_width; ++tap) {
        const int in_y = y * g.stride_height + tap / g.kernel_width;
        const float* in = plane + static_cast<std::ptrdiff_t>(in_y) * g.in_width + begin * g.stride_width +
                          tap % g.kernel_width;
        for (int i = 0; i < count; ++i) sums[i] += in[static_cast<std::ptrdiff_t>(i) * g.stride_width];
      }
      visit(sums, static_cast<std::ptrdiff_t>(y) * g.out_width + begin, count);
    }
  }
}

}  // namespace

void subsample(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
               const PoolGeometry& g, int batch) {
  for_each_map_plane(input_map(g), batch, [&](int block, std::ptrdiff_t plane) {
    const auto channel = static_cast<std::size_t>(plane / g.block);
    const float scale = weight[channel] * share_of(g);
    float* out = output.block(block) + plane * out_pixels(g);
    for_each_sums(input.block(block) + plane * in_pixels(g), g,
                  [&](const float* sums, std::ptrdiff_t place, int count) {
                    for (int i = 0; i < count; ++i) out[place + i] = scale * sums[i] + bias[channel];
                  });
  });
}

void subsample_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                              ConstFloats /*bias*/, const PoolGeometry& g, int batch) {
  for_each_map_plane(input_map(g), batch, [&](int block, std::ptrdiff_t plane) {
    const float scale = weight[static_cast<std::size_t>(plane / g.block)] * share_of(g);
    const float* d_out = d_output.block(block) + plane * out_pixels(g);
    float* d_in = d_input.block(block) + plane * in_pixels(g);
    std::fill_n(d_in, in_pixels(g), 0.0f);
    for (int y = 0; y < g.out_height * g.kernel_height; ++y) {
      float* row = d_in + static_cast<std::ptrdiff_t>(y) * g.in_width;
      const float* from = d_out + static_cast<std::ptrdiff_t>(y / g.kernel_height) * g.out_width;
      for (int x = 0; x < g.out_width; ++x) {
        for (int tap = 0; tap < g.kernel_width; ++tap) row[x * g.stride_width + tap] = from[x] * scale;
      }
    }
  });
}

// A tile is a channel, so that its sums over the batch have one order.
void subsample_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                               const PoolGeometry& g, int batch) {
  for_each_tile(g.channels, [&](int channel) {
    double product = 0;
    for (int image = 0; image < batch; ++image) {
      const int block = image / g.block;
      const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(channel) * g.block + image % g.block;
      const float* d_out = d_output.block(block) + plane * out_pixels(g);
      for_each_sums(input.block(block) + plane * in_pixels(g), g,
                    [&](const float* sums, std::ptrdiff_t place, int count) {
                      product +=
                          sum_terms(count, [&](std::ptrdiff_t i) { return d_out[place + i] * sums[i]; });
                    });
    }
    d_weight[static_cast<std::size_t>(channel)] =
        static_cast<float>(product * static_cast<double>(share_of(g)));
  });
  sum_channels(d_bias, d_output, {g.channels, g.out_height, g.out_width, g.block}, batch);
}

}  // namespace cnn
