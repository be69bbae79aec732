// Forward and backward-input: blocks of tiles are transformed, multiplied point by point and transformed back by one thread.
#include "cnn/ops/conv/winograd.hpp"

#include "cnn/core/team.hpp"
#include "cnn/ops/conv/winograd_patches.hpp"

namespace cnn::winograd {

namespace {

// A correlation with padding: forward, or backward-input with maps and weights turned.
struct Filter {
  int in_channels, in_height, in_width;
  int out_channels, out_height, out_width;
  int pad_top, pad_left;

  std::ptrdiff_t in_plane() const { return static_cast<std::ptrdiff_t>(in_height) * in_width; }
  std::ptrdiff_t out_plane() const { return static_cast<std::ptrdiff_t>(out_height) * out_width; }
};

Filter forward_filter(const ConvGeometry& g) {
  return {g.in_channels, g.in_height, g.in_width, g.out_channels, g.out_height, g.out_width, g.pad_top, g.pad_left};
}

Filter backward_filter(const ConvGeometry& g) {
  return {g.out_channels, g.out_height, g.out_width, g.in_channels, g.in_height, g.in_width, 2 - g.pad_top, 2 - g.pad_left};
}

// The weights of a panel's rows for one channel, transformed. Turned: rows are input channels, and taps are the other way
// round.
void transform_weights_of(float* to, std::ptrdiff_t stride, const float* const (&rows)[kLanes], bool turned) {
  Vector taps[kLanes];
  Vector last;
  for (int lane = 0; lane < kLanes; ++lane) {
    taps[lane] = load(rows[lane]);
    last[lane] = rows[lane][8];
  }
  transpose(taps);
  Vector g[3][3];
  for (int tap = 0; tap < 9; ++tap) {
    const Vector value = tap == 8 ? last : taps[tap];
    const int place = turned ? 8 - tap : tap;
    g[place / 3][place % 3] = value;
  }
  Vector half[3][kInputs];
  for (int column = 0; column < 3; ++column) {
    const Vector taken[3] = {g[0][column], g[1][column], g[2][column]};
    transform_weights(half[column], taken);
  }
  for (int row = 0; row < kInputs; ++row) {
    const Vector taken[3] = {half[0][row], half[1][row], half[2][row]};
    Vector points[kInputs];
    transform_weights(points, taken);
    for (int column = 0; column < kInputs; ++column) store_rows(to + (row * kInputs + column) * stride, points[column]);
  }
}

// [point] left panels of the filter's weights [out][in], from [out_channels][in_channels][3][3] of the geometry.
void transform_all_weights(float* to, const float* weight, const Filter& f, bool turned) {
  const std::ptrdiff_t stride = weights_stride(f.in_channels, f.out_channels);
  const std::ptrdiff_t row_step = turned ? 9 : static_cast<std::ptrdiff_t>(f.in_channels) * 9;
  const std::ptrdiff_t channel_step = turned ? static_cast<std::ptrdiff_t>(f.out_channels) * 9 : 9;
  for_each_tile(panel_count(f.out_channels, kPanelRows), [&](int panel) {
    for (int channel = 0; channel < f.in_channels; ++channel) {
      const float* rows[kLanes];
      for (int lane = 0; lane < kLanes; ++lane) {  // the last row again where there is none: nobody reads its sums
        const int row = std::min(panel * kPanelRows + std::min(lane, kPanelRows - 1), f.out_channels - 1);
        rows[lane] = weight + row * row_step + channel * channel_step;
      }
      transform_weights_of(to + (static_cast<std::ptrdiff_t>(panel) * f.in_channels + channel) * kPanelRows, stride, rows,
                           turned);
    }
  });
}

struct TilePlace {
  int image, y, x;  // of its first output
  bool whole;       // no output hangs over an edge
  bool paired;      // the next tile lies at its right, and both are whole
};

// A block's tiles; where the last panel is not full, the last tile again.
struct BlockTiles {
  int panels = 0, begin = 0, count = 0;
  TilePlace places[kMostTiles];

  BlockTiles(const Tiles& tiles, const Filter& f, int panel_begin, int panel_end) : panels(panel_end - panel_begin) {
    begin = panel_begin * kPanelColumns;
    count = std::min(panel_end * kPanelColumns, tiles.count) - begin;
    for (int i = 0; i < panels * kPanelColumns; ++i) {
      const int tile = begin + std::min(i, count - 1);
      const int y = tile / tiles.columns % tiles.rows * kOutputs;
      const int x = tile % tiles.columns * kOutputs;
      const bool low_enough = y + kOutputs <= f.out_height;
      places[i] = {tile / (tiles.rows * tiles.columns), y, x, low_enough && x + kOutputs <= f.out_width,
                   low_enough && x + 2 * kOutputs <= f.out_width && i + 1 < count};
    }
  }
};

// V = B^T d B of a block's tiles: [point][panel][channel][tile of the panel].
[[gnu::noinline]] void transform_inputs(float* to, std::ptrdiff_t stride, const Loaded& source, const Tiles& tiles, const BlockTiles& block,
                      const Filter& f, float* strips) {
  const int row = strip_stride(std::min(tiles.columns, kMostTiles));
  for (int channel = 0; channel < f.in_channels; ++channel) {
    const float* patches[kMostTiles];
    int count = 0;
    float* strip = strips;
    for_each_run(tiles, block.begin, block.begin + block.count, kMostTiles, [&](const TileRun& run) {
      const PlaneView plane{source.map.block(run.image) + channel * f.in_plane(), f.in_height, f.in_width, f.in_plane()};
      copy_strip(strip, row, plane, run.row * kOutputs - f.pad_top, run.column * kOutputs - f.pad_left, kInputs,
                 run.count * kOutputs + 2, source, channel, f.in_channels);
      for (int i = 0; i < run.count; ++i) patches[count++] = strip + i * kOutputs;
      strip += kInputs * row;
    });
    for (; count < block.panels * kPanelColumns; ++count) patches[count] = patches[block.count - 1];
    for (int first = 0; first < count; first += kLanes) {
      Vector patch[kInputs][kInputs];
      Vector points[kInputs][kInputs];
      load_patches(patch, patches + first, row);
      transform_both(points, patch, [](auto& a, const auto& b) { transform_input(a, b); });
      const std::ptrdiff_t place =
          (static_cast<std::ptrdiff_t>(first / kPanelColumns) * f.in_channels + channel) * kPanelColumns + first % kPanelColumns;
      for (int point = 0; point < kPoints; ++point) {
        store(to + point * stride + place, points[point / kInputs][point % kInputs]);
      }
    }
  }
}

// Rows [row_begin, row_end) of panels of all points' products: [point][panel][row][tile].
[[gnu::noinline]] void multiply_points(float* sums, std::ptrdiff_t sums_stride, const float* inputs, std::ptrdiff_t inputs_stride,
                     const float* weights, const Filter& f, int panels, int row_begin, int row_end) {
  const std::ptrdiff_t stride = weights_stride(f.in_channels, f.out_channels);
  const int rows = row_end - row_begin;
  for (int point = 0; point < kPoints; ++point) {
    for (int panel = 0; panel < panels; ++panel) {
      const float* right = inputs + point * inputs_stride + static_cast<std::ptrdiff_t>(panel) * f.in_channels * kPanelColumns;
      float* to = sums + point * sums_stride + static_cast<std::ptrdiff_t>(panel) * rows * kPanelRows * kPanelColumns;
      for (int row = row_begin; row < row_end; ++row) {
        const PanelSums result = multiply_panels(
            weights + point * stride + static_cast<std::ptrdiff_t>(row) * f.in_channels * kPanelRows, right, f.in_channels);
        for (int i = 0; i < kPanelRows; ++i, to += kPanelColumns) {
          store(to, result.rows[i][0]);
          store(to + kLanes, result.rows[i][1]);
        }
      }
    }
  }
}

// Writes tiles of outputs.
class Finish {
 public:
  Finish(Blocked target, const Epilogue& epilogue, const Filter& f) : target_(target), epilogue_(epilogue), f_(f) {}

  // Asks for the lines that tiles will be written to.
  void prefetch(int channel, const TilePlace* places, int count) const {
    for (int i = 0; i < count; ++i) {
      if (i > 0 && places[i].x % 16 != 0) continue;
      const float* to = target_.block(places[i].image) + channel * f_.out_plane() +
                        static_cast<std::ptrdiff_t>(places[i].y) * f_.out_width + places[i].x;
      for (int row = 0; row < kOutputs; ++row) __builtin_prefetch(to + row * f_.out_width, 1);
    }
  }

  void operator()(const Vector (&outputs)[kOutputs][kOutputs], int channel, const TilePlace* places, int count) const {
    for (int half = 0; half < 2; ++half) {  // two rows of outputs of eight tiles at a time
      Vector rows[kLanes];
      for (int i = 0; i < kLanes; ++i) rows[i] = mapped(outputs[half * 2 + i / kOutputs][i % kOutputs], channel);
      transpose(rows);
      for (int lane = 0; lane < count; ++lane) {
        const TilePlace& place = places[lane];
        const std::ptrdiff_t first =
            channel * f_.out_plane() + static_cast<std::ptrdiff_t>(place.y + half * 2) * f_.out_width + place.x;
        float* to = target_.block(place.image) + first;
        const float* addend = epilogue_.addend.data == nullptr ? nullptr : epilogue_.addend.block(place.image) + first;
        if (place.paired && lane + 1 < count) {
          put_pair(to, addend, rows[lane], rows[lane + 1]);
          ++lane;
        } else if (place.whole) {
          put_tile(to, addend, rows[lane]);
        } else {
          put_part(to, addend, rows[lane], std::min(2, f_.out_height - place.y - half * 2),
                   std::min(kOutputs, f_.out_width - place.x));
        }
      }
    }
  }

 private:
  using Four = float __attribute__((vector_size(16), aligned(4), may_alias));

  Vector mapped(Vector value, int channel) const {
    if (epilogue_.bias != nullptr) value += epilogue_.bias[channel];
    if (epilogue_.affine != nullptr) value = value * epilogue_.affine[channel] + epilogue_.affine[f_.out_channels + channel];
    return epilogue_.addend.data == nullptr ? activate(value, epilogue_.activation) : value;
  }

  // Two rows of two tiles side by side; `left` and `right` have a tile's two rows one after the other.
  void put_pair(float* to, const float* addend, Vector left, Vector right) const {
    Vector upper = __builtin_shufflevector(left, right, 0, 1, 2, 3, 8, 9, 10, 11);
    Vector lower = __builtin_shufflevector(left, right, 4, 5, 6, 7, 12, 13, 14, 15);
    if (addend != nullptr) {
      upper = activate(upper + load(addend), epilogue_.activation);
      lower = activate(lower + load(addend + f_.out_width), epilogue_.activation);
    }
    store(to, upper);
    store(to + f_.out_width, lower);
  }

  void put_tile(float* to, const float* addend, Vector value) const {
    if (addend != nullptr) {
      const Four upper = *reinterpret_cast<const Four*>(addend);
      const Four lower = *reinterpret_cast<const Four*>(addend + f_.out_width);
      value = activate(value + __builtin_shufflevector(upper, lower, 0, 1, 2, 3, 4, 5, 6, 7), epilogue_.activation);
    }
    *reinterpret_cast<Four*>(to) = __builtin_shufflevector(value, value, 0, 1, 2, 3);
    *reinterpret_cast<Four*>(to + f_.out_width) = __builtin_shufflevector(value, value, 4, 5, 6, 7);
  }

  // The part of a tile's two rows that is inside.
  void put_part(float* to, const float* addend, Vector value, int rows, int columns) const {
    alignas(32) float numbers[kLanes];
    store(numbers, value);
    for (int y = 0; y < rows && addend != nullptr; ++y) {
      for (int x = 0; x < columns; ++x) numbers[y * kOutputs + x] += addend[static_cast<std::ptrdiff_t>(y) * f_.out_width + x];
    }
    if (addend != nullptr) store(numbers, activate(load(numbers), epilogue_.activation));
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < columns; ++x) to[static_cast<std::ptrdiff_t>(y) * f_.out_width + x] = numbers[y * kOutputs + x];
    }
  }

  Blocked target_;
  const Epilogue& epilogue_;
  const Filter& f_;
};

[[gnu::noinline]] void transform_outputs(const Finish& finish, const float* sums, std::ptrdiff_t stride, const BlockTiles& tiles, int rows,
                       int channel_begin, int channel_end) {
  for (int channel = channel_begin; channel < channel_end; ++channel) {
    for (int first = 0; first < tiles.count; first += kLanes) {
      const float* from = sums +
                          (static_cast<std::ptrdiff_t>(first / kPanelColumns) * rows + channel - channel_begin) * kPanelColumns +
                          first % kPanelColumns;
      finish.prefetch(channel + 1, tiles.places + first, std::min(kLanes, tiles.count - first));
      Vector points[kInputs][kInputs];
      Vector outputs[kOutputs][kOutputs];
      for (int point = 0; point < kPoints; ++point) points[point / kInputs][point % kInputs] = load(from + point * stride);
      transform_both(outputs, points, [](auto& a, const auto& b) { transform_output(a, b); });
      finish(outputs, channel, tiles.places + first, std::min(kLanes, tiles.count - first));
    }
  }
}

void filter(Blocked target, const Loaded& source, const float* weights, const Epilogue& epilogue, const Filter& f, int batch,
            const Scratch& scratch) {
  const Tiles tiles(f.out_height, f.out_width, batch);
  const Blocks blocks(f.in_channels, f.out_channels, tiles);
  const int row_panels = panel_count(f.out_channels, kPanelRows);
  const int block_panels = Blocks::panels_of_block(f.in_channels + f.out_channels);
  for_each_tile(blocks.blocks * blocks.row_parts, [&](int task) {
    const int block = task / blocks.row_parts;
    const int part = task % blocks.row_parts;
    const int row_begin = row_panels * part / blocks.row_parts;
    const int row_end = row_panels * (part + 1) / blocks.row_parts;
    const BlockTiles own(tiles, f, blocks.panel_begin(block), blocks.panel_begin(block + 1));
    float* inputs = scratch.thread(team_rank());
    const std::ptrdiff_t inputs_stride = tiles_stride(f.in_channels, block_panels);
    float* sums = inputs + kPoints * inputs_stride;
    const std::ptrdiff_t sums_stride = tiles_stride(kRowGroup * kPanelRows, block_panels);
    float* strips = sums + kPoints * sums_stride;
    transform_inputs(inputs, inputs_stride, source, tiles, own, f, strips);
    const Finish finish(target, epilogue, f);
    for (int row = row_begin; row < row_end; row += kRowGroup) {
      const int last = std::min(row + kRowGroup, row_end);
      multiply_points(sums, sums_stride, inputs, inputs_stride, weights, f, own.panels, row, last);
      transform_outputs(finish, sums, sums_stride, own, (last - row) * kPanelRows, row * kPanelRows,
                        std::min(last * kPanelRows, f.out_channels));
    }
  });
}

}  // namespace

void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  transform_all_weights(prepared.data(), weight.data(), forward_filter(g), false);
}

void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g,
          int batch, const Scratch& scratch) {
  const Filter f = forward_filter(g);
  if (!weight.prepared) transform_all_weights(scratch.shared, weight.data, f, false);
  filter(output, input, weight.prepared ? weight.data : scratch.shared, epilogue, f, batch, scratch);
}

void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g, int batch,
                         const Scratch& scratch) {
  const Filter f = backward_filter(g);
  transform_all_weights(scratch.shared, weight.data(), f, true);
  filter(d_input.map, d_output, scratch.shared, d_input.add ? Epilogue().plus(d_input.map) : Epilogue(), f, batch, scratch);
}

}  // namespace cnn::winograd
