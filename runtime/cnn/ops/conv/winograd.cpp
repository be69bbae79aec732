// Forward and backward-input: blocks of tiles are transformed, multiplied point by point and transformed back by one thread.
#include "cnn/ops/conv/winograd.hpp"

#include <cstring>

#include "cnn/core/ahead.hpp"
#include "cnn/core/team.hpp"
#include "cnn/ops/conv/winograd_strips.hpp"
#include "cnn/ops/conv/winograd_weights.hpp"

namespace cnn::winograd {

namespace {

struct TilePlace {
  std::ptrdiff_t target, addend;  // of its first output, without the channel
  std::ptrdiff_t strip;           // of its first place in the strips
  int rows, columns;              // of its outputs that are inside
  bool whole;                     // no output hangs over an edge
  bool joined;                    // it and those that fill a vector with it lie side by side, and all are whole
};

// A block's tiles; where the last panel is not full, the last tile again.
struct BlockTiles {
  int panels = 0, count = 0, run_count = 0;
  int strip_row = 0;  // floats of a row of a strip
  TilePlace places[kMostTiles];
  TileRun runs[kMostTiles];

  BlockTiles(const Tiles& tiles, const Filter& f, std::ptrdiff_t target_stride, std::ptrdiff_t addend_stride, int panel_begin,
             int panel_end)
      : panels(panel_end - panel_begin), strip_row(strip_stride(std::min(tiles.columns, panels * kPanelColumns), tiles.outputs)) {
    const int begin = panel_begin * kPanelColumns;
    const int end = std::min(panel_end * kPanelColumns, tiles.count);
    for_each_run(tiles, begin, end, kMostTiles, [&](const TileRun& run) {
      const std::ptrdiff_t strip = static_cast<std::ptrdiff_t>(run_count) * f.inputs * strip_row;
      runs[run_count++] = run;
      for (int i = 0; i < run.count; ++i) {
        const int y = run.row * tiles.outputs, x = (run.column + i) * tiles.outputs;
        const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(y) * f.out_width + x;
        const int rows = f.out_height - y, columns = f.out_width - x;
        const bool low_enough = rows >= tiles.outputs;
        places[count++] = {run.image * target_stride + place,
                           run.image * addend_stride + place,
                           strip + i * tiles.outputs,
                           rows,
                           columns,
                           low_enough && columns >= tiles.outputs,
                           low_enough && columns >= kLanes && (run.count - i) * tiles.outputs >= kLanes};
      }
    });
    for (int i = count; i < panels * kPanelColumns; ++i) places[i] = places[count - 1];
  }
};

// The parts of the work are not inlined, so that a profile tells one from the other.

// The first half of a channel's V = B^T d B, from top to bottom.
template <int kSide>
[[gnu::noinline]] void transform_down(float* strips, const Loaded& source, const BlockTiles& block, const Filter& f, int channel) {
  for (int i = 0; i < block.run_count; ++i, strips += kSide * block.strip_row) {
    const TileRun& run = block.runs[i];
    int rows[kSide];
    for (int row = 0; row < kSide; ++row) rows[row] = run.row * f.outputs() - f.pad_top + row;
    const PlaneView plane{source.map.block(run.image) + channel * f.in_plane(), f.in_height,   f.in_width, f.in_plane(), source,
                          channel,                                              f.in_channels};
    transform_strip<kSide>(strips, block.strip_row, plane, rows, run.column * f.outputs() - f.pad_left,
                           run.count * f.outputs() + f.taps - 1, [](auto& to, const auto& taken) { transform_input(to, taken); });
  }
}

// The second half, from left to right: [panel][channel][point][tile of the panel].
template <int kSide>
[[gnu::noinline]] void transform_across(float* to, const float* strips, const BlockTiles& block, const Filter& f, int channel) {
  for (int first = 0; first < block.panels * kPanelColumns; first += kWideLanes) {
    const float* lanes[kWideLanes];
    for (int lane = 0; lane < kWideLanes; ++lane) lanes[lane] = strips + block.places[first + lane].strip;
    float* place = to + (static_cast<std::ptrdiff_t>(first / kPanelColumns) * f.in_channels + channel) * transform_floats(kSide) +
                   first % kPanelColumns;
    for (int row = 0; row < kSide; ++row) {
      Wide places[kLanes];
      load_lanes(places, lanes, static_cast<std::ptrdiff_t>(row) * block.strip_row);
      Wide taken[kSide], points[kSide];
      for (int column = 0; column < kSide; ++column) taken[column] = places[column];
      transform_input(points, taken);
      for (int column = 0; column < kSide; ++column, place += kPanelColumns) store(place, points[column]);
    }
  }
}

// V of a block's tiles, channels [begin, end). A channel's strips are written well before they are read: a load waits for the
// stores that it overlaps with.
void transform_inputs(float* to, const Loaded& source, const BlockTiles& block, const Filter& f, int begin, int end, float* strips) {
  const auto down = f.inputs == kInputs ? transform_down<kInputs> : transform_down<kFewInputs>;
  const auto across = f.inputs == kInputs ? transform_across<kInputs> : transform_across<kFewInputs>;
  float* ready = strips;
  float* next = strips + strip_floats(block.panels) / 2;
  down(ready, source, block, f, begin);
  for (int channel = begin; channel < end; ++channel) {
    if (channel + 1 < end) down(next, source, block, f, channel + 1);
    across(to, ready, block, f, channel);
    std::swap(ready, next);
  }
}

// All points' products of `rows` panels of rows, whose weights are `stride` floats from point to point: [panel][row][point][tile].
[[gnu::noinline]] void multiply_points(float* sums, const float* inputs, const float* weights, std::ptrdiff_t stride, const Filter& f, int panels,
                                       int rows) {
  const std::ptrdiff_t channel = transform_floats(f.inputs);
  const PanelSteps steps{.left_panel = static_cast<std::ptrdiff_t>(f.in_channels) * kPanelRows, .right_panel = f.in_channels * channel, .right = channel};
  for (int point = 0; point < f.points(); ++point) {
    const float* left = weights + point * stride;
    for_each_product(0, rows, panels, [&]<int kRows, int kColumns>(int row, int panel) {
      const auto result = multiply_panels<kRows, kColumns>(left + row * steps.left_panel, inputs + panel * steps.right_panel + point * kPanelColumns,
                                                           f.in_channels, steps);
      for (int i = 0; i < kColumns; ++i) {
        float* to = sums + ((panel + i) * rows + row) * kPanelRows * channel + point * kPanelColumns;
        for (int j = 0; j < kRows; ++j) {
#pragma GCC unroll 6
          for (int own = 0; own < kPanelRows; ++own, to += channel) {
            store(to, result.of[j][i].rows[own][0]);
            store(to + kLanes, result.of[j][i].rows[own][1]);
          }
        }
      }
    });
  }
}

// Writes rows of outputs of eight tiles of one channel.
template <int kOutputs>
class Finish {
 public:
  Finish(Blocked target, const Epilogue& epilogue, const Filter& f, int channel)
      : to_(target.data + channel * f.out_plane()),
        addend_(epilogue.addend.data == nullptr ? nullptr : epilogue.addend.data + channel * f.out_plane()),
        width_(f.out_width),
        least_(broadcast(least_of(epilogue.activation))),
        most_(broadcast(most_of(epilogue.activation))),
        most_behind_(broadcast(most_of(epilogue.behind))),
        behind_(epilogue.behind != Activation::kNone) {
    const float bias = epilogue.bias == nullptr ? 0 : epilogue.bias[channel];
    const float scale = epilogue.affine == nullptr ? 1 : epilogue.affine[channel];
    const float shift = epilogue.affine == nullptr ? 0 : epilogue.affine[f.out_channels + channel];
    bias_ = broadcast(bias), scale_ = broadcast(scale), shift_ = broadcast(shift);
  }

  // Asks for the lines of the same tiles in planes `ahead` floats behind: rows of a few floats, which the processor does not see coming.
  void ask_ahead(const TilePlace* places, int count, std::ptrdiff_t ahead) const {
    for (int i = 0; i < count; i += places[i].joined ? kJoined : 1) {
      for (int row = 0; row < kOutputs; ++row) {
        if (addend_ != nullptr) ask_for(addend_ + places[i].addend + row * width_ + ahead);
        ask_for(to_ + places[i].target + row * width_ + ahead);
      }
    }
  }

  // Row `row` of each tile's outputs, a vector over the tiles for each column.
#if defined(__AVX512F__)
  void operator()(const Wide (&columns)[kOutputs], const TilePlace* places, int count, int row) const {
    Vector some[kOutputs];
    for (int i = 0; i < kOutputs; ++i) some[i] = half_of<0>(columns[i]);
    (*this)(some, places, count, row);
    for (int i = 0; i < kOutputs; ++i) some[i] = half_of<1>(columns[i]);
    (*this)(some, places + kLanes, count - kLanes, row);
  }
#endif
  void operator()(const Vector (&columns)[kOutputs], const TilePlace* places, int count, int row) const {
    Vector joined[kOutputs];  // each the row of kJoined tiles
    join(joined, columns);
    for (int i = 0; i < kOutputs; ++i) put(joined[i], places + i * kJoined, count - i * kJoined, row);
  }

 private:
  static constexpr int kJoined = kLanes / kOutputs;

  static void join(Vector (&to)[4], const Vector (&columns)[4]) {
    for (int half = 0; half < 2; ++half) {  // tiles 0, 1, 4 and 5, then 2, 3, 6 and 7
      const Vector near = half == 0 ? __builtin_shufflevector(columns[0], columns[1], 0, 8, 1, 9, 4, 12, 5, 13)
                                    : __builtin_shufflevector(columns[0], columns[1], 2, 10, 3, 11, 6, 14, 7, 15);
      const Vector far = half == 0 ? __builtin_shufflevector(columns[2], columns[3], 0, 8, 1, 9, 4, 12, 5, 13)
                                   : __builtin_shufflevector(columns[2], columns[3], 2, 10, 3, 11, 6, 14, 7, 15);
      const Vector even = __builtin_shufflevector(near, far, 0, 1, 8, 9, 4, 5, 12, 13);
      const Vector odd = __builtin_shufflevector(near, far, 2, 3, 10, 11, 6, 7, 14, 15);
      to[half] = __builtin_shufflevector(even, odd, 0, 1, 2, 3, 8, 9, 10, 11);
      to[half + 2] = __builtin_shufflevector(even, odd, 4, 5, 6, 7, 12, 13, 14, 15);
    }
  }
  static void join(Vector (&to)[2], const Vector (&columns)[2]) {
    to[0] = __builtin_shufflevector(columns[0], columns[1], 0, 8, 1, 9, 2, 10, 3, 11);
    to[1] = __builtin_shufflevector(columns[0], columns[1], 4, 12, 5, 13, 6, 14, 7, 15);
  }

  // The row of kJoined tiles, of which there are `count`.
  void put(Vector value, const TilePlace* places, int count, int row) const {
    if (count <= 0) return;
    value = (value + bias_) * scale_ + shift_;
    const std::ptrdiff_t below = row * width_;
    if (places[0].joined && count >= kJoined) {
      if (addend_ != nullptr) value += load(addend_ + places[0].addend + below);
      value = clamped(value);
      float* to = to_ + places[0].target + below;
      if (behind_) value = passed(value, load(to), most_behind_);
      return store(to, value);
    }
    for (int i = 0; i < std::min(count, kJoined); ++i) {
      if (i > 0) value = __builtin_shuffle(value, kNextTile);
      put_one(value, places[i], row, below);
    }
  }

  // The first kOutputs lanes, as far as they are inside.
  void put_one(Vector value, const TilePlace& place, int row, std::ptrdiff_t below) const {
    if (row >= place.rows) return;
    float* to = to_ + place.target + below;
    const float* addend = addend_ == nullptr ? nullptr : addend_ + place.addend + below;
    if (place.whole) {
      if (addend != nullptr) value += load_outputs(addend);
      value = clamped(value);
      if (behind_) value = passed(value, load_outputs(to), most_behind_);
      store_outputs(to, value);
    } else {
      const int columns = std::min(kOutputs, place.columns);
      for (int i = 0; i < columns && addend != nullptr; ++i) value[i] += addend[i];
      value = clamped(value);
      Vector output = {};
      for (int i = 0; i < columns && behind_; ++i) output[i] = to[i];
      if (behind_) value = passed(value, output, most_behind_);
      for (int i = 0; i < columns; ++i) to[i] = value[i];
    }
  }

  using Places = int __attribute__((vector_size(32)));
  static constexpr Places kNextTile = (Places{0, 1, 2, 3, 4, 5, 6, 7} + kOutputs) & 7;

  static Vector load_outputs(const float* from) {
    Vector value = {};
    std::memcpy(&value, from, kOutputs * sizeof(float));
    return value;
  }
  static void store_outputs(float* to, Vector value) { std::memcpy(to, &value, kOutputs * sizeof(float)); }

  Vector clamped(Vector value) const { return at_most(at_least(value, least_), most_); }

  float* to_;
  const float* addend_;
  std::ptrdiff_t width_;
  Vector least_, most_, bias_, scale_, shift_, most_behind_;
  bool behind_;
};

// A^T m A of the sums of channels [channel_begin, channel_end), of which there are `rows` a panel.
template <int kSide, int kTaps>
[[gnu::noinline]] void transform_outputs(Blocked target, const Epilogue& epilogue, const Filter& f, const float* sums, const BlockTiles& block,
                       int rows, int channel_begin, int channel_end) {
  constexpr int kOutputs = outputs_of(kTaps, kSide);
  for (int channel = channel_begin; channel < channel_end; ++channel) {
    const Finish<kOutputs> finish(target, epilogue, f, channel);
    for (int first = 0; first < block.count; first += kWideLanes) {
      const float* from =
          sums + (static_cast<std::ptrdiff_t>(first / kPanelColumns) * rows + channel - channel_begin) * transform_floats(kSide) +
          first % kPanelColumns;
      const TilePlace* places = block.places + first;
      const int count = std::min(kWideLanes, block.count - first);
      finish.ask_ahead(places, count, f.out_plane());
      Wide half[kSide][kOutputs];  // [column][row]
      for (int column = 0; column < kSide; ++column) {
        Wide taken[kSide];
        for (int row = 0; row < kSide; ++row) taken[row] = load_as<Wide>(from + (row * kSide + column) * kPanelColumns);
        transform_output(half[column], taken);
      }
      for (int row = 0; row < kOutputs; ++row) {
        Wide taken[kSide];
        for (int column = 0; column < kSide; ++column) taken[column] = half[column][row];
        Wide outputs[kOutputs];
        transform_output(outputs, taken);
        finish(outputs, places, count, row);
      }
    }
  }
}

// A filter's work on a batch.
struct Work {
  const Filter& f;
  const Tiles tiles;
  const Blocks blocks;

  Work(const Filter& f, int batch)
      : f(f), tiles(f.out_height, f.out_width, batch, f.outputs()), blocks(f.in_channels, f.out_channels, tiles) {}

  BlockTiles tiles_of(int block, std::ptrdiff_t target_stride, std::ptrdiff_t addend_stride) const {
    return BlockTiles(tiles, f, target_stride, addend_stride, blocks.panel_begin(block), blocks.panel_begin(block + 1));
  }
  // Floats of the transformed inputs of `panels` panels.
  std::ptrdiff_t inputs_floats(int panels) const { return static_cast<std::ptrdiff_t>(panels) * f.in_channels * transform_floats(f.inputs); }
};

// The transformed inputs of all blocks, for all parts of the rows.
void share_inputs(float* shared, const Loaded& source, const Work& work, const Scratch& scratch) {
  constexpr int kChannels = 32;  // of a task
  const int chunks = panel_count(work.f.in_channels, kChannels);
  for_each_tile(work.blocks.blocks * chunks, [&](int task) {
    const int block = task / chunks;
    const int begin = task % chunks * kChannels;
    transform_inputs(shared + work.inputs_floats(work.blocks.panel_begin(block)), source, work.tiles_of(block, 0, 0), work.f, begin,
                     std::min(begin + kChannels, work.f.in_channels), scratch.thread(team_rank()));
  });
}

void filter(Blocked target, const Loaded& source, Weights weights, const Epilogue& epilogue, const Filter& f, int batch,
            const Scratch& scratch) {
  const Work work(f, batch);
  const Blocks& blocks = work.blocks;
  decltype(&transform_outputs<kInputs, 3>) finish = nullptr;
  with_sides(f, [&]<int kSide, int kTaps>() { finish = transform_outputs<kSide, kTaps>; });
  const int row_panels = panel_count(f.out_channels, kPanelRows);
  const std::ptrdiff_t floats = transform_floats(f.inputs);
  const int group = blocks.own_weights ? kOwnRows : kRowGroup;
  const bool own_weights = blocks.own_weights && !weights.transformed;
  const bool all_weights = !own_weights && !weights.transformed;
  // Rows whose weights are there at a time.
  const bool in_halves = all_weights && scratch.shared_floats < weights_floats(f.in_channels, f.out_channels, f.inputs);
  const int rows_at_once = in_halves ? half_of_panels(row_panels) : row_panels;
  const std::ptrdiff_t stride = weights_stride(f.in_channels, own_weights ? kOwnRows * kPanelRows : std::min(rows_at_once * kPanelRows, f.out_channels));
  float* shared = scratch.shared + (all_weights ? f.points() * stride : 0);
  if (blocks.row_parts > 1) share_inputs(shared, source, work, scratch);
  for (int first_row = 0; first_row < row_panels; first_row += rows_at_once) {
    const int rows_here = std::min(rows_at_once, row_panels - first_row);
    if (all_weights) transform_all_weights(scratch.shared, stride, weights, f, first_row, rows_here);
    const float* transformed = all_weights ? scratch.shared : weights.data;
    for_each_tile(blocks.blocks * blocks.row_parts, [&](int task) {
      const int block = task / blocks.row_parts;
      const int part = task % blocks.row_parts;
      const int row_begin = first_row + rows_here * part / blocks.row_parts;
      const int row_end = first_row + rows_here * (part + 1) / blocks.row_parts;
      const BlockTiles own = work.tiles_of(block, target.stride, epilogue.addend.stride);
      float* sums = scratch.thread(team_rank());
      float* behind = sums + own.panels * std::min(group, row_panels) * kPanelRows * floats;
      const float* inputs = behind;
      if (blocks.row_parts > 1) {
        inputs = shared + work.inputs_floats(blocks.panel_begin(block));
      } else {
        transform_inputs(behind, source, own, f, 0, f.in_channels, behind + work.inputs_floats(own.panels));
      }
      for (int row = row_begin; row < row_end; row += group) {
        const int last = std::min(row + group, row_end);
        const float* rows = transformed + static_cast<std::ptrdiff_t>(row - first_row) * f.in_channels * kPanelRows;
        if (own_weights) {
          transform_weights_of_rows(behind, stride, weights, f, row, last);
          rows = behind;
        }
        multiply_points(sums, inputs, rows, stride, f, own.panels, last - row);
        finish(target, epilogue, f, sums, own, (last - row) * kPanelRows, row * kPanelRows, std::min(last * kPanelRows, f.out_channels));
      }
    });
  }
}

void prepare(float* prepared, ConstFloats weight, const ConvGeometry& g, int inputs) {
  const Filter f = forward_filter(g, inputs);
  transform_all_weights(prepared, weights_stride(f.in_channels, f.out_channels), {weight.data(), false, false}, f, 0, panel_count(f.out_channels, kPanelRows));
}

void forward(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g, int inputs,
             int batch, const Scratch& scratch) {
  filter(output, input, {weight.data, weight.prepared, false}, epilogue, forward_filter(g, inputs), batch, scratch);
}

}  // namespace

void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  prepare(prepared.data(), weight, g, kInputs);
}
void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g,
          int batch, const Scratch& scratch) {
  forward(output, input, weight, epilogue, g, kInputs, batch, scratch);
}

void conv_2x2_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  prepare(prepared.data(), weight, g, kFewInputs);
}
void conv_2x2(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g,
              int batch, const Scratch& scratch) {
  forward(output, input, weight, epilogue, g, kFewInputs, batch, scratch);
}

void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g, int batch,
                         const Scratch& scratch) {
  filter(d_input.map, d_output, {weight.data(), false, true}, d_input.epilogue(), backward_filter(g), batch, scratch);
}

}  // namespace cnn::winograd
