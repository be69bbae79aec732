// adaptive_avgpool, bin by bin.
#include "cnn/ops/adaptive_avgpool.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

struct Bin {
  int begin, end;

  int size() const { return end - begin; }
};

Bin bin_of(int index, int bins, int size) {
  const auto place = [=](std::int64_t i) { return i * size; };
  return {static_cast<int>(place(index) / bins), static_cast<int>((place(index + 1) + bins - 1) / bins)};
}

// Calls work(block, offset of the input's plane, of the output's) for each image's channel.
template <class Work>
void for_each_plane(const AdaptivePoolGeometry& g, int batch, Work&& work) {
  const std::ptrdiff_t in_plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t out_plane = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
  const MapGeometry map{g.channels, g.in_height, g.in_width, g.block};
  for_each_channels(map, batch, [&](int block, int begin, int end, int images) {
    for (int channel = begin; channel < end; ++channel) {
      for (int image = 0; image < images; ++image) {
        const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(channel) * g.block + image;
        work(block, plane * in_plane, plane * out_plane);
      }
    }
  });
}

// Calls visit(output's index, its bin of rows, its bin of columns) in the order of outputs.
template <class Visit>
void for_each_bin(const AdaptivePoolGeometry& g, Visit&& visit) {
  for (int y = 0; y < g.out_height; ++y) {
    const Bin rows = bin_of(y, g.out_height, g.in_height);
    for (int x = 0; x < g.out_width; ++x)
      visit(y * g.out_width + x, rows, bin_of(x, g.out_width, g.in_width));
  }
}

}  // namespace

void adaptive_avgpool(Blocked output, ConstBlocked input, const AdaptivePoolGeometry& g, int batch) {
  for_each_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
    const float* in = input.block(block) + in_offset;
    float* out = output.block(block) + out_offset;
    for_each_bin(g, [&](int index, const Bin& rows, const Bin& columns) {
      double sum = 0;
      for (int y = rows.begin; y < rows.end; ++y) {
        const float* row = in + static_cast<std::ptrdiff_t>(y) * g.in_width + columns.begin;
        sum += sum_terms(columns.size(), [row](std::ptrdiff_t i) { return row[i]; });
      }
      out[index] = static_cast<float>(sum / (static_cast<double>(rows.size()) * columns.size()));
    });
  });
}

void adaptive_avgpool_backward_input(Blocked d_input, ConstBlocked d_output, const AdaptivePoolGeometry& g,
                                     int batch) {
  for_each_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
    float* d_in = d_input.block(block) + in_offset;
    const float* d_out = d_output.block(block) + out_offset;
    std::fill_n(d_in, static_cast<std::ptrdiff_t>(g.in_height) * g.in_width, 0.0f);
    for_each_bin(g, [&](int index, const Bin& rows, const Bin& columns) {
      const float share =
          d_out[index] / (static_cast<float>(rows.size()) * static_cast<float>(columns.size()));
      for (int y = rows.begin; y < rows.end; ++y) {
        float* row = d_in + static_cast<std::ptrdiff_t>(y) * g.in_width;
        for (int x = columns.begin; x < columns.end; ++x) row[x] += share;
      }
    });
  });
}

}  // namespace cnn
