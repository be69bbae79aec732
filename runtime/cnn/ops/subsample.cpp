// subsample as avgpool and a pass over what it wrote, which is the smaller part.
#include "cnn/ops/subsample.hpp"

#include "cnn/ops/averages.hpp"
#include "cnn/ops/avgpool.hpp"

namespace cnn {

namespace {

// Calls change(channel, first element, count) for each channel of each block: its images lie side by side.
template <class Change>
void change_planes(Blocked map, const MapGeometry& g, int batch, Change&& change) {
  for_each_channels(g, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(channel) * g.block * g.pixels();
      change(channel, map.block(block) + first, static_cast<std::ptrdiff_t>(images) * g.pixels());
    }
  });
}

struct Sums {
  double products = 0, gradients = 0;
};

// Adds a plane's d_output * mean, and d_output.
void sum_plane(Sums& sums, const float* d_out, const float* in, const PoolGeometry& g) {
  with_stride(g.stride_width, [&](auto stride) {
    for_each_piece(g, [&](int begin, int end) {
      float widths[kPoolPiece], means[kPoolPiece];
      count_columns(widths, g, begin, end);
      for (int y = 0; y < g.out_height; ++y) {
        find_means(means, in, widths, g, y, begin, end, stride);
        const float* row = d_out + static_cast<std::ptrdiff_t>(y) * g.out_width + begin;
        sums.products += sum_terms(end - begin, [&](std::ptrdiff_t i) { return row[i] * means[i]; });
        sums.gradients += sum_terms(end - begin, [row](std::ptrdiff_t i) { return row[i]; });
      }
    });
  });
}

}  // namespace

void subsample(Blocked output, ConstBlocked input, ConstFloats coefficient, ConstFloats bias,
               const PoolGeometry& g, int batch) {
  avgpool(output, input, g, batch);
  const MapGeometry map{g.channels, g.out_height, g.out_width, g.block};
  change_planes(output, map, batch, [&](int channel, float* values, std::ptrdiff_t count) {
    const float factor = coefficient[static_cast<std::size_t>(channel)];
    const float shift = bias[static_cast<std::size_t>(channel)];
    for (std::ptrdiff_t i = 0; i < count; ++i) values[i] = factor * values[i] + shift;
  });
}

void subsample_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats coefficient,
                              const PoolGeometry& g, int batch) {
  avgpool_backward_input(d_input, d_output, g, batch);
  const MapGeometry map{g.channels, g.in_height, g.in_width, g.block};
  change_planes(d_input, map, batch, [&](int channel, float* values, std::ptrdiff_t count) {
    const float factor = coefficient[static_cast<std::size_t>(channel)];
    for (std::ptrdiff_t i = 0; i < count; ++i) values[i] *= factor;
  });
}

void subsample_backward_params(Floats d_coefficient, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                               const PoolGeometry& g, int batch) {
  const std::ptrdiff_t in_plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t out_plane = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
  for_each_tile(g.channels, [&](int channel) {
    Sums sums;
    for (int block = 0; block < block_count(batch, g.block); ++block) {
      for (int image = 0; image < images_in_block(batch, g.block, block); ++image) {
        const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(channel) * g.block + image;
        sum_plane(sums, d_output.block(block) + plane * out_plane, input.block(block) + plane * in_plane, g);
      }
    }
    d_coefficient[static_cast<std::size_t>(channel)] = static_cast<float>(sums.products);
    d_bias[static_cast<std::size_t>(channel)] = static_cast<float>(sums.gradients);
  });
}

}  // namespace cnn
