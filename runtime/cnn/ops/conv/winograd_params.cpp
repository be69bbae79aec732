// Backward-params: the adjoint of forward. The transformed weights' gradient is the sum over tiles of products of the
// transformed output gradients and inputs; tiles are taken a block at a time, which the team transforms, then multiplies.
#include "cnn/core/team.hpp"
#include "cnn/ops/conv/winograd_patches.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn::winograd {

namespace {

constexpr int kSumFloats = kPanelRows * kPanelColumns;

// The places of a block's operands and of the sums in the shared scratch.
struct Places {
  int row_panels, column_panels;
  float *sums, *inputs, *gradients;
  std::ptrdiff_t sums_stride, inputs_stride, gradients_stride;  // from one point to the next

  Places(const ConvGeometry& g, float* shared)
      : row_panels(panel_count(g.out_channels, kPanelRows)),
        column_panels(panel_count(g.in_channels, kPanelColumns)),
        sums(shared),
        sums_stride(point_stride(static_cast<std::size_t>(row_panels) * static_cast<std::size_t>(column_panels) * kSumFloats)),
        inputs_stride(point_stride(static_cast<std::size_t>(column_panels) * kPanelColumns * kGradientTiles)),
        gradients_stride(point_stride(static_cast<std::size_t>(row_panels) * kPanelRows * kGradientTiles)) {
    inputs = sums + kPoints * sums_stride;
    gradients = inputs + kPoints * inputs_stride;
  }
};

// Channels' maps as the transforms read them.
struct Maps {
  const Loaded& source;
  int channels, height, width;
  int pad_top, pad_left;
};

// kWidth channels from `channel` on, one a lane; the last again where there is none: nobody reads what becomes of it.
template <int kSide, int kWidth, class Transform, class Store>
void transform_channels(const Maps& maps, int channel, const Tiles& tiles, int begin, int end, Transform&& transform,
                        Store&& keep) {
  constexpr int kRun = 8;  // tiles at a time
  constexpr int kStride = strip_stride(kRun);
  alignas(64) float strips[kWidth][kSide * kStride];
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(maps.height) * maps.width;
  int tile = 0;
  for_each_run(tiles, begin, end, kRun, [&](const TileRun& run) {
    const float* lanes[kLanes];
    for (int lane = 0; lane < kWidth; ++lane) {
      const int own = std::min(channel + lane, maps.channels - 1);
      copy_strip(strips[lane], kStride, {maps.source.map.block(run.image) + own * plane, maps.height, maps.width, static_cast<std::ptrdiff_t>(kOutputs) * maps.width},
                 run.row * kOutputs - maps.pad_top, run.column * kOutputs - maps.pad_left, kSide,
                 run.count * kOutputs + kSide - kOutputs, maps.source, own, maps.channels);
    }
    for (int i = 0; i < run.count; ++i, ++tile) {
      for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = strips[std::min(lane, kWidth - 1)] + i * kOutputs;
      Vector patch[kSide][kSide];
      Vector points[kInputs][kInputs];
      load_patches(patch, lanes, kStride);
      transform(points, patch);
      for (int point = 0; point < kPoints; ++point) keep(point, tile, points[point / kInputs][point % kInputs]);
    }
  });
}

void transform_input_channels(const Places& places, const Loaded& input, const ConvGeometry& g, const Tiles& tiles, int begin,
                              int end, int channel) {
  float* to = places.inputs + static_cast<std::ptrdiff_t>(channel / kPanelColumns) * kGradientTiles * kPanelColumns +
              channel % kPanelColumns;
  transform_channels<kInputs, kLanes>(
      {input, g.in_channels, g.in_height, g.in_width, g.pad_top, g.pad_left}, channel, tiles, begin, end,
      [](auto& points, const auto& patch) {
        transform_both(points, patch, [](auto& a, const auto& b) { transform_input(a, b); });
      },
      [&](int point, int tile, Vector value) { store(to + point * places.inputs_stride + tile * kPanelColumns, value); });
}

void transform_gradient_channels(const Places& places, ConstBlocked d_output, const ConvGeometry& g, const Tiles& tiles,
                                 int begin, int end, int panel) {
  float* to = places.gradients + static_cast<std::ptrdiff_t>(panel) * kGradientTiles * kPanelRows;
  transform_channels<kOutputs, kPanelRows>(
      {d_output, g.out_channels, g.out_height, g.out_width, 0, 0}, panel * kPanelRows, tiles, begin, end,
      [](auto& points, const auto& patch) {
        Vector half[kOutputs][kInputs];  // [column][row]
        for (int column = 0; column < kOutputs; ++column) {
          const Vector taken[kOutputs] = {patch[0][column], patch[1][column], patch[2][column], patch[3][column]};
          transform_output_gradient(half[column], taken);
        }
        for (int row = 0; row < kInputs; ++row) {
          const Vector taken[kOutputs] = {half[0][row], half[1][row], half[2][row], half[3][row]};
          transform_output_gradient(points[row], taken);
        }
      },
      [&](int point, int tile, Vector value) { store_rows(to + point * places.gradients_stride + tile * kPanelRows, value); });
}

// sums of one point and one panel of rows: += gradients * inputs, or = for the first block.
void add_products(const Places& places, int point, int row, int depth, bool first) {
  const float* left =
      places.gradients + point * places.gradients_stride + static_cast<std::ptrdiff_t>(row) * kGradientTiles * kPanelRows;
  for (int column = 0; column < places.column_panels; ++column) {
    const float* right =
        places.inputs + point * places.inputs_stride + static_cast<std::ptrdiff_t>(column) * kGradientTiles * kPanelColumns;
    float* to = places.sums + point * places.sums_stride +
                (static_cast<std::ptrdiff_t>(row) * places.column_panels + column) * kSumFloats;
    const PanelSums sums = multiply_panels(left, right, depth);
    for (int i = 0; i < kPanelRows; ++i, to += kPanelColumns) {
      store(to, first ? sums.rows[i][0] : load(to) + sums.rows[i][0]);
      store(to + kLanes, first ? sums.rows[i][1] : load(to + kLanes) + sums.rows[i][1]);
    }
  }
}

// d_weight = G^T sums G of the rows of one panel.
void finish_weights(Floats d_weight, const Places& places, const ConvGeometry& g, int panel) {
  const int rows = std::min(kPanelRows, g.out_channels - panel * kPanelRows);
  for (int row = 0; row < rows; ++row) {
    for (int channel = 0; channel < g.in_channels; channel += kLanes) {
      const float* from = places.sums +
                          (static_cast<std::ptrdiff_t>(panel) * places.column_panels + channel / kPanelColumns) * kSumFloats +
                          row * kPanelColumns + channel % kPanelColumns;
      Vector half[kInputs][3];  // [column][row]
      for (int column = 0; column < kInputs; ++column) {
        Vector taken[kInputs];
        for (int i = 0; i < kInputs; ++i) taken[i] = load(from + (i * kInputs + column) * places.sums_stride);
        transform_weights_gradient(half[column], taken);
      }
      float* to = d_weight.data() + (static_cast<std::ptrdiff_t>(panel * kPanelRows + row) * g.in_channels + channel) * 9;
      const int count = std::min(kLanes, g.in_channels - channel);
      for (int i = 0; i < 3; ++i) {
        Vector taken[kInputs];
        for (int column = 0; column < kInputs; ++column) taken[column] = half[column][i];
        Vector taps[3];
        transform_weights_gradient(taps, taken);
        for (int lane = 0; lane < count; ++lane) {
          for (int tap = 0; tap < 3; ++tap) to[lane * 9 + i * 3 + tap] = taps[tap][lane];
        }
      }
    }
  }
}

}  // namespace

void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  const Places places(g, scratch.shared);
  const Tiles tiles(g.out_height, g.out_width, batch);
  const int groups = places.column_panels * kPanelColumns / kLanes;
  for (int begin = 0; begin < tiles.count; begin += kGradientTiles) {
    const int end = std::min(begin + kGradientTiles, tiles.count);
    for_each_tile(groups + places.row_panels, [&](int task) {
      if (task < groups) {
        transform_input_channels(places, input, g, tiles, begin, end, task * kLanes);
      } else {
        transform_gradient_channels(places, d_output, g, tiles, begin, end, task - groups);
      }
    });
    for_each_tile(kPoints * places.row_panels, [&](int task) {
      add_products(places, task / places.row_panels, task % places.row_panels, end - begin, begin == 0);
    });
  }
  for_each_tile(places.row_panels, [&](int panel) { finish_weights(d_weight, places, g, panel); });
}

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g,
                          int batch, const Scratch& scratch) {
  winograd::conv_backward_params(d_weight, d_output, input, g, batch, scratch);
  sum_channels(d_bias, d_output, {g.out_channels, g.out_height, g.out_width, g.block}, batch);
}

}  // namespace cnn::winograd
