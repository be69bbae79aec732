// Average pooling over bins, a plane at a time.
#include "cnn/ops/adaptive_avgpool.hpp"

#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

struct Bin {
  int begin, end;

  Bin(int index, int in, int out)
      : begin(static_cast<int>(static_cast<std::int64_t>(index) * in / out)),
        end(static_cast<int>((static_cast<std::int64_t>(index + 1) * in + out - 1) / out)) {}
  int size() const { return end - begin; }
};

// Calls visit(output's place, rows, columns) for each bin of a plane.
template <class Visit>
void for_each_bin(const AdaptivePoolGeometry& g, Visit&& visit) {
  for (int y = 0; y < g.out_height; ++y) {
    const Bin rows(y, g.in_height, g.out_height);
    for (int x = 0; x < g.out_width; ++x) visit(y * g.out_width + x, rows, Bin(x, g.in_width, g.out_width));
  }
}

// Calls work(block, input's plane, output's plane), offsets in floats.
template <class Work>
void for_each_bin_plane(const AdaptivePoolGeometry& g, int batch, Work&& work) {
  const std::ptrdiff_t in_pixels = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t out_pixels = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
  for_each_map_plane(
      {g.channels, g.in_height, g.in_width, g.block}, batch,
      [&](int block, std::ptrdiff_t plane) { work(block, plane * in_pixels, plane * out_pixels); });
}

}  // namespace

void adaptive_avgpool(Blocked output, const Loaded& input, const AdaptivePoolGeometry& g, int batch) {
  const std::ptrdiff_t channel_floats = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * g.block;
  for_each_bin_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
    const float* in = input.map.block(block) + in_offset;
    float* out = output.block(block) + out_offset;
    with_channel_map(input, static_cast<int>(in_offset / channel_floats), g.channels, [&](const auto& map) {
      for_each_bin(g, [&](int place, const Bin& rows, const Bin& columns) {
        double sum = 0;
        for (int y = rows.begin; y < rows.end; ++y) {
          const float* row = in + static_cast<std::ptrdiff_t>(y) * g.in_width;
          for (int x = columns.begin; x < columns.end; ++x) sum += static_cast<double>(map(row[x]));
        }
        out[place] = static_cast<float>(sum / rows.size() / columns.size());
      });
    });
  });
}

void adaptive_avgpool_backward_input(Blocked d_input, ConstBlocked d_output, const AdaptivePoolGeometry& g,
                                     int batch) {
  for_each_bin_plane(g, batch, [&](int block, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
    float* d_in = d_input.block(block) + in_offset;
    const float* d_out = d_output.block(block) + out_offset;
    std::fill_n(d_in, static_cast<std::ptrdiff_t>(g.in_height) * g.in_width, 0.0f);
    for_each_bin(g, [&](int place, const Bin& rows, const Bin& columns) {
      const float share = d_out[place] / static_cast<float>(rows.size() * columns.size());
      for (int y = rows.begin; y < rows.end; ++y) {
        float* row = d_in + static_cast<std::ptrdiff_t>(y) * g.in_width;
        for (int x = columns.begin; x < columns.end; ++x) row[x] += share;
      }
    });
  });
}

}  // namespace cnn
