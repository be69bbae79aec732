// Backward-params: the output's gradient times the input's columns, summed over columns. Both are packed column by column,
// a tile at a time; partial sums of a few slots of tiles are merged in order.
#include "cnn/core/team.hpp"
#include "cnn/ops/conv.hpp"
#include "cnn/ops/conv/column_rows.hpp"
#include "cnn/ops/conv/merge_slots.hpp"

namespace cnn {

namespace {

std::ptrdiff_t weight_count(const ConvGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.out_channels) * g.depth();
}

// Steps of the depth that a task takes, and tasks that share the columns.
struct Share {
  int slot, group, begin, end;
};

// Stores a block of kCount rows and eight columns, turned, at to[column][stride]: `count` columns. Rows of six are followed by
// two floats that the next column's overwrite, so the last one's are not written.
template <int kCount>
[[gnu::always_inline]] inline float* store_turned(float* to, Vector (&block)[kLanes], int count, bool last) {
  transpose(block);
  constexpr int kStride = kCount == kLanes ? kPanelColumns : kPanelRows;
  for (int i = 0; i < count; ++i, to += kStride) {
    if (kCount == kLanes || !last || i + 1 < count) {
      store(to, block[i]);
    } else {
      store_rows(to, block[i]);
    }
  }
  return to;
}

// kCount rows of a tile's columns, packed as to[column][stride], from row(i) for each.
template <int kCount, class Row>
void pack_across(float* to, int columns, Row&& row) {
  alignas(64) float rows[kCount][kRowFloats];
  for (int i = 0; i < kCount; ++i) {
    row(rows[i], i);
    for (int column = columns; column % kLanes != 0; ++column) rows[i][column] = 0;
  }
  for (int first = 0; first < columns; first += kLanes) {
    Vector block[kLanes];
    for (int i = 0; i < kLanes; ++i) block[i] = load(rows[std::min(i, kCount - 1)] + first);
    to = store_turned<kCount>(to, block, std::min(kLanes, columns - first), first + kLanes >= columns);
  }
}

// The same, straight from planes in whole vectors: columns are in_whole_vectors(). `place_of(run, column)`: in a plane, of a run's
// first column; `load_at(i, place)`: of row i.
template <int kCount, class PlaceOf, class LoadAt>
void pack_planes_across(float* to, const TileColumns& columns, PlaceOf&& place_of, LoadAt&& load_at) {
  int column = 0;
  for (int run = 0; run < columns.runs; ++run) {
    std::ptrdiff_t place = place_of(columns.run[run], column);
    for (const int end = column + columns.run[run].count; column < end; column += kLanes, place += kLanes) {
      Vector block[kLanes];
#pragma GCC unroll 8
      for (int i = 0; i < kLanes; ++i) block[i] = load_at(std::min(i, kCount - 1), place);
      to = store_turned<kCount>(to, block, kLanes, column + kLanes == columns.count);
    }
  }
}

// The output's gradient of a group's channels: [panel][column][kPanelRows].
void pack_gradient(float* left, ConstBlocked d_output, const TileColumns& columns, const Correlation& c, bool whole) {
  const std::ptrdiff_t plane = Planes(c).target * c.block;
  for (int panel = 0; panel < panel_count(c.out_channels, kPanelRows); ++panel, left += kTileColumns * kPanelRows) {
    const float* planes[kPanelRows];
    for (int i = 0; i < kPanelRows; ++i) {
      planes[i] = d_output.data + (c.group * c.out_channels + std::min(panel * kPanelRows + i, c.out_channels - 1)) * plane;
    }
    if (whole) {
      pack_planes_across<kPanelRows>(
          left, columns, [&](const Run&, int column) { return columns.target[column]; },
          [&](int i, std::ptrdiff_t place) { return load(planes[i] + place); });
      continue;
    }
    pack_across<kPanelRows>(left, columns.count, [&](float* row, int i) {
      int column = 0;
      for (int run = 0; run < columns.runs; ++run) {
        const int count = columns.run[run].count;
        const float* own = planes[i] + columns.target[column];
        const float* image = own - (columns.run[run].y * c.horizontal.target + columns.run[run].x);
        copy_beyond(row + column, own, count, image + Planes(c).target);
        column += count;
      }
    });
  }
}

// Steps [step, step + kLanes) of the input's columns where those are in whole vectors: [column][kPanelColumns].
void pack_planes(float* right, const Loaded& input, const TileColumns& columns, const Correlation& c, int step) {
  const float* planes[kLanes];
  int channels[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    channels[i] = c.group * c.in_channels + std::min(step + i, c.in_channels - 1);
    planes[i] = input.map.data + channels[i] * Planes(c).source * c.block;
  }
  const auto place_of = [](const Run& run, int) { return run.image + run.x; };
  if (input.affine == nullptr) {
    return pack_planes_across<kLanes>(right, columns, place_of, [&](int i, std::ptrdiff_t place) { return load(planes[i] + place); });
  }
  const ChannelMap first(input, channels[0], c.groups * c.in_channels);
  float scales[kLanes], shifts[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    const ChannelMap map(input, channels[i], c.groups * c.in_channels);
    scales[i] = map.scale;
    shifts[i] = map.shift;
  }
  pack_planes_across<kLanes>(right, columns, place_of, [&](int i, std::ptrdiff_t place) {
    return at_most(at_least(load(planes[i] + place) * scales[i] + shifts[i], broadcast(first.least)), broadcast(first.most));
  });
}

// Steps [step, step + kPanelColumns) of the input's columns: [column][kPanelColumns].
void pack_inputs(float* right, const Loaded& input, const TileColumns& columns, ColumnRows& rows, const Correlation& c,
                 int step, bool whole) {
  for (int half = 0; half < kPanelColumns; half += kLanes) {
    if (whole) {
      pack_planes(right + half, input, columns, c, step + half);
    } else {
      pack_across<kLanes>(right + half, columns.count, [&](float* row, int i) {
        const int own = std::min(step + half + i, c.depth() - 1);
        rows.gather(row, input, c.group * c.in_channels + own / c.taps(), own % c.taps());
      });
    }
  }
}

// Adds a panel's sums to rows of a weight's gradient, or overwrites it with them.
[[gnu::always_inline]] inline void add_sums(float* to, const PanelSums& sums, std::ptrdiff_t row_distance, int rows, int columns, bool first) {
  if (columns == kPanelColumns) {
#pragma GCC unroll 6
    for (int row = 0; row < kPanelRows; ++row, to += row_distance) {
      if (row >= rows) return;
      store(to, first ? sums.rows[row][0] : load(to) + sums.rows[row][0]);
      store(to + kLanes, first ? sums.rows[row][1] : load(to + kLanes) + sums.rows[row][1]);
    }
    return;
  }
  alignas(64) float kept[kPanelRows * kPanelColumns];
  keep(kept, sums);
  for (int row = 0; row < rows; ++row, to += row_distance) {
    for (int half = 0; half < columns; half += kLanes) {
      const Vector own = load(kept + row * kPanelColumns + half);
      const int count = columns - half;
      store_first(to + half, first ? own : load_first(to + half, count) + own, count);
    }
  }
}

// One task's share: the columns of its slot, the steps of its chunk.
void add_share(float* d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch, const Share& share,
               float* scratch) {
  const Correlation c = forward_correlation(g, share.group);
  const int total = c.outputs() * batch;
  const int tiles = (total + kTileColumns - 1) / kTileColumns;
  const int slots = conv_slots(g);
  const int first = static_cast<int>(static_cast<std::int64_t>(tiles) * share.slot / slots);
  const int last = static_cast<int>(static_cast<std::int64_t>(tiles) * (share.slot + 1) / slots);
  float* part = d_weight + static_cast<std::ptrdiff_t>(share.group) * c.out_channels * c.depth();
  if (first == last) {
    for (int row = 0; row < c.out_channels; ++row) {
      std::fill(part + static_cast<std::ptrdiff_t>(row) * c.depth() + share.begin,
                part + static_cast<std::ptrdiff_t>(row) * c.depth() + share.end, 0.0f);
    }
  }
  const PanelSteps steps{.left_panel = kTileColumns * kPanelRows, .right_panel = kTileColumns * kPanelColumns};
  const int row_panels = panel_count(c.out_channels, kPanelRows);
  float* right = scratch;
  float* left = right + kGradientPanels * kTileColumns * kPanelColumns;
  float* table = left + left_panel_floats(c.out_channels, 1) * kTileColumns;
  for (int tile = first; tile < last; ++tile) {
    const int begin = tile * kTileColumns;
    const TileColumns columns =
        columns_of(c, input.map.stride, d_output.stride, 0, begin, std::min(begin + kTileColumns, total));
    const bool whole = in_whole_vectors(columns, c);
    pack_gradient(left, d_output, columns, c, whole);
    ColumnRows rows(columns, c, table);
    // What the next tile reads, where it does not overlap with this one.
    const bool apart = are_planes(c) && tile + 1 < last;
    const int next = (tile + 1) * kTileColumns, next_end = std::min(next + kTileColumns, total);
    Ahead gradients, inputs;
    if (apart) {
      gradients = columns_ahead(d_output, c, next, next_end, share.group * c.out_channels, c.out_channels);
      inputs = columns_ahead(input.map, c, next, next_end, share.group * c.in_channels + share.begin, share.end - share.begin);
    }
    const int products = row_panels * panel_count(share.end - share.begin, kPanelColumns);
    const int gradient_lines = gradients.lines() / products + 1;
    const int input_lines = inputs.lines() / products + 1;
    for (int step = share.begin; step < share.end; step += kGradientPanels * kPanelColumns) {
      const int panels = std::min(kGradientPanels, panel_count(share.end - step, kPanelColumns));
      for (int panel = 0; panel < panels; ++panel) {
        pack_inputs(right + panel * steps.right_panel, input, columns, rows, c, step + panel * kPanelColumns, whole);
      }
      for_each_product(0, row_panels, panels, [&]<int kRows, int kColumns>(int row, int panel) {
        gradients.ask(kRows * kColumns * gradient_lines);
        inputs.ask(kRows * kColumns * input_lines);
        const auto sums = multiply_panels<kRows, kColumns>(left + row * steps.left_panel, right + panel * steps.right_panel, columns.count, steps);
        for (int j = 0; j < kRows; ++j) {
          for (int i = 0; i < kColumns; ++i) {
            const int first_row = (row + j) * kPanelRows, column = step + (panel + i) * kPanelColumns;
            add_sums(part + static_cast<std::ptrdiff_t>(first_row) * c.depth() + column, sums.of[j][i], c.depth(),
                     std::min(kPanelRows, c.out_channels - first_row), std::min(kPanelColumns, share.end - column), tile == first);
          }
        }
      });
    }
  }
}

}  // namespace

void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  const int chunks = (g.depth() + kChunkSteps - 1) / kChunkSteps;
  for_each_tile(conv_slots(g) * g.groups * chunks, [&](int task) {
    const int slot = task / chunks / g.groups;
    const int begin = task % chunks * kChunkSteps;
    float* partial = slot == 0 ? d_weight.data() : scratch.shared + (slot - 1) * weight_count(g);
    add_share(partial, d_output, input, g, batch,
              {slot, task / chunks % g.groups, begin, std::min(begin + kChunkSteps, g.depth())}, scratch.thread(team_rank()));
  });
  merge_slots(d_weight, conv_slots(g), scratch.shared);
}

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g,
                          int batch, const Scratch& scratch) {
  conv_backward_params(d_weight, d_output, input, g, batch, scratch);
  sum_channels(d_bias, d_output, {g.out_channels, g.out_height, g.out_width, g.block}, batch);
}

}  // namespace cnn
