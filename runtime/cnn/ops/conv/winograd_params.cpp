// Backward-params: the adjoint of forward. The transformed weights' gradient is the sum over tiles of products of the
// transformed output gradients and inputs, a block of tiles at a time. All that a task writes is its own until the end, since
// lines that go from one core to another are what such work would wait for.
#include "cnn/core/team.hpp"
#include "cnn/ops/conv/winograd_strips.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn::winograd {

namespace {

constexpr int kSumFloats = kPanelRows * kPanelColumns;

// What a transform from top to bottom makes of the rows of places of a tile: all rows of points.
struct AllInputRows {
  static constexpr int kRows = kInputs, kTaken = kInputs;
  int rows[kTaken] = {0, 1, 2, 3, 4, 5};

  template <class V>
  void operator()(V (&to)[kRows], const V (&places)[kTaken]) const { transform_input(to, places); }
};
template <int kOutputs>
struct AllGradientRows {
  static constexpr int kRows = kInputs, kTaken = kOutputs;
  int rows[kTaken];
  constexpr AllGradientRows() {
    for (int i = 0; i < kTaken; ++i) rows[i] = i;
  }

  template <class V>
  void operator()(V (&to)[kRows], const V (&places)[kTaken]) const { transform_output_gradient(to, places); }
};

// Or one row of points, which takes four rows of places, each with a factor.
struct PointRow {
  static constexpr int kRows = 1, kTaken = 4;
  int rows[kTaken];
  float factors[kTaken];

  template <class V>
  void operator()(V (&to)[kRows], const V (&places)[kTaken]) const {
    to[0] = factors[0] * places[0] + factors[1] * places[1] + factors[2] * places[2] + factors[3] * places[3];
  }
};

// B^T, of inputs, and A, of the output's gradient.
constexpr PointRow kInputRows[kInputs] = {{{0, 2, 4, 4}, {4, -5, 1, 0}}, {{1, 2, 3, 4}, {-4, -4, 1, 1}},
                                          {{1, 2, 3, 4}, {4, -4, -1, 1}}, {{1, 2, 3, 4}, {-2, -1, 2, 1}},
                                          {{1, 2, 3, 4}, {2, -1, -2, 1}}, {{1, 3, 5, 5}, {4, -5, 1, 0}}};
template <int kOutputs>
constexpr PointRow kGradientRows[kInputs] = {{{0, 0, 0, 0}, {1, 0, 0, 0}},  {{0, 1, 2, 3}, {1, 1, 1, 1}},
                                             {{0, 1, 2, 3}, {1, -1, 1, -1}}, {{0, 1, 2, 3}, {1, 2, 4, 8}},
                                             {{0, 1, 2, 3}, {1, -2, 4, -8}}, {{3, 3, 3, 3}, {1, 0, 0, 0}}};
template <>
constexpr PointRow kGradientRows<2>[kInputs] = {{{0, 0, 0, 0}, {1, 0, 0, 0}}, {{0, 1, 1, 1}, {1, 1, 0, 0}},
                                                {{0, 1, 1, 1}, {1, -1, 0, 0}}, {{0, 1, 1, 1}, {1, 2, 0, 0}},
                                                {{0, 1, 1, 1}, {1, -2, 0, 0}}, {{1, 1, 1, 1}, {1, 0, 0, 0}}};

// Channels' maps as the transforms read them.
struct Maps {
  const Loaded& source;
  int channels, height, width;
  int pad_top, pad_left;
};

constexpr int kRun = 8;  // tiles whose strips are made at a time
constexpr int kStripRow = strip_stride(kRun, outputs_of(3));  // the wider ones

// The tiles [begin, end) of kWidth channels from `channel` on, or of the last again where there is none: nobody reads what
// becomes of it; a tile reads `side` x `side` places. Calls across(strips [kWidth][rows of points][kStripRow], tile, count) for each run.
template <int kWidth, class Rows, class Across>
void transform_down(const Maps& maps, int side, int channel, const Tiles& tiles, int begin, int end, const Rows& rows,
                    Across&& across) {
  alignas(64) float strips[kWidth * Rows::kRows * kStripRow];
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(maps.height) * maps.width;
  int tile = 0;
  for_each_run(tiles, begin, end, kRun, [&](const TileRun& run) {
    int taken[Rows::kTaken];
    for (int i = 0; i < Rows::kTaken; ++i) taken[i] = run.row * tiles.outputs - maps.pad_top + rows.rows[i];
    for (int lane = 0; lane < kWidth; ++lane) {
      const int own = std::min(channel + lane, maps.channels - 1);
      const PlaneView view{maps.source.map.block(run.image) + own * plane,
                           maps.height,
                           maps.width,
                           static_cast<std::ptrdiff_t>(tiles.outputs) * maps.width,
                           maps.source,
                           own,
                           maps.channels};
      transform_strip<Rows::kRows>(strips + lane * Rows::kRows * kStripRow, kStripRow, view, taken,
                                   run.column * tiles.outputs - maps.pad_left, (run.count - 1) * tiles.outputs + side, rows);
    }
    across(strips, tile, run.count);
    tile += run.count;
  });
}

// A panel of V.
template <class Rows>
[[gnu::noinline]] void transform_input_panel(float* to, const GradientTasks& tasks, const Maps& maps, const Tiles& tiles, int begin, int end, int panel,
                           const Rows& rows) {
  transform_down<kPanelColumns>(maps, kInputs, panel * kPanelColumns, tiles, begin, end, rows,
                                         [&](const float* strips, int tile, int count) {
    const std::ptrdiff_t step = tasks.point_step(kPanelColumns);
    for (int half = 0; half < kPanelColumns; half += kWideLanes) {
      const float* lanes[kWideLanes];
      for (int lane = 0; lane < kWideLanes; ++lane) lanes[lane] = strips + (half + lane) * Rows::kRows * kStripRow;
      for (int i = 0; i < count; ++i) {
        float* place = to + (tile + i) * tasks.tile_step(kPanelColumns) + half;
        for (int row = 0; row < Rows::kRows; ++row) {
          Wide places[kLanes];
          load_lanes(places, lanes, row * kStripRow + i * tiles.outputs);
          const Wide taken[kInputs] = {places[0], places[1], places[2], places[3], places[4], places[5]};
          Wide points[kInputs];
          transform_input(points, taken);
          for (int column = 0; column < kInputs; ++column, place += step) store(place, points[column]);
        }
      }
    }
  });
}

// A panel of the transformed gradients. Stores of eight spoil the two floats behind a point's channels, where the next
// point's or the next tile's come later.
template <int kOutputs, class Rows>
[[gnu::noinline]] void transform_gradient_panel(float* to, const GradientTasks& tasks, const Maps& maps, const Tiles& tiles, int begin, int end, int panel,
                              const Rows& rows) {
  transform_down<kPanelRows>(maps, kOutputs, (tasks.first_row + panel) * kPanelRows, tiles, begin, end, rows,
                                       [&](const float* strips, int tile, int count) {
    const std::ptrdiff_t step = tasks.point_step(kPanelRows);
    const float* lanes[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = strips + std::min(lane, kPanelRows - 1) * Rows::kRows * kStripRow;
    constexpr int kJoined = kLanes / kOutputs;
    for (int i = 0; i < count; i += kJoined) {
      for (int row = 0; row < Rows::kRows; ++row) {
        Vector places[kLanes];  // of kJoined tiles
        load_lanes(places, lanes, row * kStripRow + i * kOutputs);
        for (int own = 0; own < std::min(kJoined, count - i); ++own) {
          Vector taken[kOutputs];
          for (int place = 0; place < kOutputs; ++place) taken[place] = places[own * kOutputs + place];
          Vector points[kInputs];
          transform_output_gradient(points, taken);
          float* place = to + (tile + i + own) * tasks.tile_step(kPanelRows) + row * kInputs * step;
          for (int column = 0; column < kInputs; ++column, place += step) store(place, points[column]);
        }
      }
    }
  });
}

// sums [point][panel of rows][panel of columns][row][column] of `points` points: += gradients * inputs of `depth` tiles, or =
// for the first block.
[[gnu::noinline]] void add_products(float* sums, const GradientTasks& tasks, const float* inputs, const float* gradients, int depth, bool first) {
  const PanelSteps steps{.right_panel = tasks.panel_floats(kPanelColumns), .left = tasks.tile_step(kPanelRows), .right = tasks.tile_step(kPanelColumns)};
  for (int point = 0; point < tasks.rows() * kInputs; ++point) {
    float* to = sums + point * tasks.stride();
    for (int row = 0; row < tasks.row_panels; ++row) {
      const float* left = gradients + row * tasks.panel_floats(kPanelRows) + point * tasks.point_step(kPanelRows);
      for_each_panels(0, tasks.column_panels, [&]<int kColumns>(int column) {
        auto own = multiply_panels<1, kColumns>(left, inputs + column * steps.right_panel + point * tasks.point_step(kPanelColumns), depth, steps);
        for (PanelSums& sum : own.of[0]) {
          if (!first) add_kept(sum, to);
          keep(to, sum);
          to += kSumFloats;
        }
      });
    }
  }
}

// The sums of tiles [begin, end).
template <int kOutputs, class InputRows, class GradientRows>
void add_tiles(float* sums, const GradientTasks& tasks, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g,
               const Tiles& tiles, int begin, int end, const InputRows& input_rows, const GradientRows& gradient_rows,
               float* scratch) {
  const Loaded d_loaded(d_output);
  const Maps inputs{input, g.in_channels, g.in_height, g.in_width, g.pad_top, g.pad_left};
  const Maps gradients{d_loaded, g.out_channels, g.out_height, g.out_width, 0, 0};
  float* transformed = scratch + tasks.column_panels * tasks.panel_floats(kPanelColumns);
  for (int first = begin; first < end; first += tasks.tiles()) {
    const int last = std::min(first + tasks.tiles(), end);
    for (int panel = 0; panel < tasks.column_panels; ++panel) {
      transform_input_panel(scratch + panel * tasks.panel_floats(kPanelColumns), tasks, inputs, tiles, first, last, panel,
                            input_rows);
    }
    for (int panel = 0; panel < tasks.row_panels; ++panel) {
      transform_gradient_panel<kOutputs>(transformed + panel * tasks.panel_floats(kPanelRows), tasks, gradients, tiles, first,
                               last, panel, gradient_rows);
    }
    add_products(sums, tasks, scratch, transformed, last - first, first == begin);
  }
  if (begin == end) {
    for (int point = 0; point < kPoints; ++point) std::fill_n(sums + point * tasks.stride(), tasks.stride(), 0.0f);
  }
}

// A vector of one point's sums over all slots, in order.
Vector merged(const float* sums, const GradientTasks& tasks) {
  Vector value = load(sums);
  for (int slot = 1; slot < tasks.slots; ++slot) value += load(sums + slot * tasks.slot_floats());
  return value;
}

// d_weight [row][channel] = G^T sums G of eight channels.
template <int kTaps>
void finish_channels(float* d_weight, const float* sums, const GradientTasks& tasks, int count) {
  constexpr int kCount = kTaps * kTaps;
  Vector half[kInputs][kTaps];  // [column][row]
  for (int column = 0; column < kInputs; ++column) {
    Vector taken[kInputs];
    for (int i = 0; i < kInputs; ++i) taken[i] = merged(sums + (i * kInputs + column) * tasks.stride(), tasks);
    transform_weights_gradient(half[column], taken);
  }
  Vector taps[kCount];
  for (int i = 0; i < kTaps; ++i) {
    Vector taken[kInputs];
    for (int column = 0; column < kInputs; ++column) taken[column] = half[column][i];
    Vector row[kTaps];
    transform_weights_gradient(row, taken);
    for (int tap = 0; tap < kTaps; ++tap) taps[i * kTaps + tap] = row[tap];
  }
  for (int first = 0; first + kLanes <= kCount; first += kLanes) {
    Vector lanes[kLanes];
    for (int i = 0; i < kLanes; ++i) lanes[i] = taps[first + i];
    transpose(lanes);
    for (int lane = 0; lane < count; ++lane) store(d_weight + lane * kCount + first, lanes[lane]);
  }
  for (int lane = 0; lane < count; ++lane) d_weight[lane * kCount + kCount - 1] = taps[kCount - 1][lane];
}

// The rows of one panel, a panel of columns after the other, since their sums lie side by side; the next one's are asked for.
template <int kTaps>
[[gnu::noinline]] void finish_weights(Floats d_weight, const float* sums, const GradientTasks& tasks, const ConvGeometry& g,
                                      int panel) {
  const int first_row = (tasks.first_row + panel) * kPanelRows;
  const int rows = std::min(kPanelRows, g.out_channels - first_row);
  sums += static_cast<std::ptrdiff_t>(panel) * tasks.column_panels * kSumFloats;
  for (int column = 0; column < tasks.column_panels; ++column, sums += kSumFloats) {
    for (int row = 0; row < rows; ++row) {
      for (int point = 0; point < kPoints; ++point) {
        __builtin_prefetch(sums + point * tasks.stride() + kSumFloats + row * kPanelColumns);
      }
      for (int half = 0; half < kPanelColumns; half += kLanes) {
        const int channel = column * kPanelColumns + half;
        if (channel >= g.in_channels) break;
        const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(first_row + row) * g.in_channels + channel;
        finish_channels<kTaps>(d_weight.data() + place * kTaps * kTaps,
                        sums + row * kPanelColumns + half, tasks, std::min(kLanes, g.in_channels - channel));
      }
    }
  }
}

template <int kTaps>
void backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch,
                     const Scratch& scratch) {
  constexpr int kOutputs = outputs_of(kTaps);
  const GradientTasks all(g);
  const Tiles tiles(g.out_height, g.out_width, batch, kOutputs);
  float* sums = scratch.shared;
  const bool in_halves = scratch.shared_floats < static_cast<std::size_t>(all.slots * all.slot_floats());
  const int rows_at_once = in_halves ? half_of_panels(all.row_panels) : all.row_panels;
  for (int row = 0; row < all.row_panels; row += rows_at_once) {
    const GradientTasks tasks = all.of_rows(row, std::min(rows_at_once, all.row_panels - row));
    for_each_tile(tasks.tasks(), [&](int task) {
      float* own = scratch.thread(team_rank());
      if (tasks.slots > 1) {
        const int begin = static_cast<int>(static_cast<long>(tiles.count) * task / tasks.slots);
        const int end = static_cast<int>(static_cast<long>(tiles.count) * (task + 1) / tasks.slots);
        add_tiles<kOutputs>(sums + task * tasks.slot_floats(), tasks, d_output, input, g, tiles, begin, end, AllInputRows(),
                            AllGradientRows<kOutputs>(), own);
      } else {
        add_tiles<kOutputs>(sums + task * kInputs * tasks.stride(), tasks, d_output, input, g, tiles, 0, tiles.count,
                            kInputRows[task], kGradientRows<kOutputs>[task], own);
      }
    });
    for_each_tile(tasks.row_panels, [&](int panel) { finish_weights<kTaps>(d_weight, sums, tasks, g, panel); });
  }
}

}  // namespace

void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  (g.kernel_height == 3 ? backward_params<3> : backward_params<5>)(d_weight, d_output, input, g, batch, scratch);
}

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g,
                          int batch, const Scratch& scratch) {
  winograd::conv_backward_params(d_weight, d_output, input, g, batch, scratch);
  sum_channels(d_bias, d_output, {g.out_channels, g.out_height, g.out_width, g.block}, batch);
}

}  // namespace cnn::winograd
