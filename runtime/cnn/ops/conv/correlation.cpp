// A tile: columns of the source are packed, 256 steps of the depth at a time, and multiplied with all left panels.
#include "cnn/ops/conv/correlation.hpp"

#include <optional>

#include "cnn/core/team.hpp"
#include "cnn/ops/conv/finish.hpp"
#include "cnn/ops/conv/column_rows.hpp"

namespace cnn {

namespace {

// The same columns in a map whose blocks are `stride` apart, and not `from_stride`; only what is packed by.
TileColumns columns_in(const TileColumns& columns, std::ptrdiff_t from_stride, std::ptrdiff_t stride) {
  TileColumns own;
  own.runs = columns.runs;
  own.count = columns.count;
  for (int i = 0; i < columns.runs; ++i) {
    own.run[i] = columns.run[i];
    own.run[i].image = columns.run[i].image / from_stride * stride;
  }
  return own;
}

// Packs steps [begin, end) of the depth from the sources that have them. `columns` and `rows` are those of the first source; of several,
// `table` is for the rows of each.
void pack_steps(float* right, std::ptrdiff_t stride, std::span<const CorrelationSource> sources, const TileColumns& columns,
                ColumnRows& rows, const Correlation& c, int begin, int end, float* table) {
  if (sources.size() == 1) return pack_columns(right, stride, sources.front().map, columns, rows, c, begin, end);
  int first = 0;  // step of the source
  for (const CorrelationSource& source : sources) {
    const int own_begin = std::max(begin - first, 0), own_end = std::min(end - first, source.channels);
    if (own_begin < own_end) {
      Correlation own = c;
      own.in_channels = source.channels;
      const TileColumns places = columns_in(columns, sources.front().map.map.stride, source.map.map.stride);
      ColumnRows own_rows(places, own, table);
      pack_columns(right + (first + own_begin - begin) * kPanelColumns, stride, source.map, places, own_rows, own,
                   own_begin, own_end);
    }
    first += source.channels;
  }
}

}  // namespace

const float* share_columns(float* columns, std::span<const CorrelationSource> sources, const Correlation& c, int batch,
                           const Scratch& scratch) {
  if (!shares_columns(c, batch)) return nullptr;
  constexpr int kSteps = 64;  // of a task
  const CorrelationTiles tiles(c, batch);
  const std::ptrdiff_t stride = right_panel_stride(c.depth());
  const int chunks = panel_count(c.depth(), kSteps);
  for_each_tile(tiles.tiles * chunks, [&](int task) {
    const int tile = task / chunks;
    const int step = task % chunks * kSteps;
    const int begin = tiles.panel_begin(tile), end = tiles.panel_begin(tile + 1);
    const TileColumns own = columns_of(c, sources.front().map.map.stride, 0, 0, begin * kPanelColumns,
                                       std::min(end * kPanelColumns, c.outputs() * batch));
    float* table = scratch.thread(team_rank());
    ColumnRows rows(own, c, table);
    pack_steps(columns + begin * stride + step * kPanelColumns, stride, sources, own, rows, c, step, std::min(step + kSteps, c.depth()), table);
  });
  return columns;
}

namespace {

// Columns [begin, end), with places in one target and its addend.
TileColumns columns_for(const CorrelationTarget& target, const Loaded& source, const Correlation& c, int begin, int end) {
  return columns_of(c, source.map.stride, target.map.stride, target.epilogue.addend.stride, begin, end);
}

// Whether two targets have the same places: blocks are as far apart, or there is but the first.
bool in_same_places(const CorrelationTarget& a, const CorrelationTarget& b, const Correlation& c, int end) {
  return end <= c.outputs() * c.block || (a.map.stride == b.map.stride && a.epilogue.addend.stride == b.epilogue.addend.stride);
}

}  // namespace

void correlate_tile(std::span<const CorrelationTarget> targets, std::span<const CorrelationSource> sources, const float* shared,
                    const Correlation& c, int batch, int task, float* scratch) {
  const CorrelationTiles tiles(c, batch);
  const int tile = task / tiles.row_parts;
  const int part = task % tiles.row_parts;
  const int row_panels = panel_count(c.out_channels, kPanelRows);
  const int row_begin = row_panels * part / tiles.row_parts;
  const int row_end = row_panels * (part + 1) / tiles.row_parts;
  const int begin = tiles.panel_begin(tile) * kPanelColumns;
  const int end = std::min(tiles.panel_begin(tile + 1) * kPanelColumns, c.outputs() * batch);
  const TileColumns columns = columns_for(targets.front(), sources.front().map, c, begin, end);
  const int panels = panel_count(columns.count, kPanelColumns);
  float* right = scratch;
  float* partial = scratch + kTilePanels * right_panel_stride(std::min(c.depth(), kCorrelationDepth));
  float* table = scratch + correlation_scratch(c) - piece_floats(c);
  ColumnRows rows(columns, c, table);
  // What is packed after the steps below `done`: more of this tile, or what is likely this thread's next one. Where taps
  // overlap it was read before.
  const auto what_comes = [&](int done) {
    if (shared != nullptr || !are_planes(c)) return Ahead();
    const int next = tile + 1;
    const bool more = done < c.depth();
    if (!more && next >= tiles.tiles) return Ahead();
    int channel = more ? done : 0;
    const CorrelationSource* source = sources.data();
    for (; channel >= source->channels; ++source) channel -= source->channels;
    const int planes = std::min(kCorrelationDepth, source->channels - channel);
    const int tile_then = more ? tile : next;
    return columns_ahead(source->map.map, c, tiles.panel_begin(tile_then) * kPanelColumns,
                         std::min(tiles.panel_begin(tile_then + 1) * kPanelColumns, c.outputs() * batch),
                         c.group * c.in_channels + channel, planes);
  };
  int step = 0;
  do {  // once even where no tap reaches the outputs: their sums are 0
    const int depth = std::min(kCorrelationDepth, c.depth() - step);
    const bool last = step + depth == c.depth();
    const float* tile_right = right;
    std::ptrdiff_t stride = right_panel_stride(depth);
    if (shared != nullptr) {
      stride = right_panel_stride(c.depth());
      tile_right = shared + tiles.panel_begin(tile) * stride + step * kPanelColumns;
    } else {
      pack_steps(right, stride, sources, columns, rows, c, step, step + depth, table);
    }
    Ahead ahead = what_comes(step + depth);
    const int lines = ahead.lines() / std::max(panels * (row_end - row_begin), 1) + 1;
    const PanelSteps steps{.left_panel = static_cast<std::ptrdiff_t>(c.depth()) * kPanelRows, .right_panel = stride};
    int first = 0;  // row panel of the target
    for (const CorrelationTarget& target : targets) {
      const int own_begin = std::max(row_begin - first, 0);
      const int own_end = std::min(row_end - first, panel_count(target.channels, kPanelRows));
      float* own_partial = partial + static_cast<std::ptrdiff_t>(first) * kPanelRows * kPanelColumns;
      first += panel_count(target.channels, kPanelRows);
      if (own_begin >= own_end) continue;
      Correlation own = c;
      own.out_channels = target.channels;
      std::optional<TileColumns> elsewhere;
      if (last && !in_same_places(target, targets.front(), c, end)) elsewhere = columns_for(target, sources.front().map, c, begin, end);
      const Finish finish(target.map, target.epilogue, own, elsewhere ? *elsewhere : columns);
      for_each_product(own_begin, own_end, panels, [&]<int kRows, int kColumns>(int row, int panel) {
        ahead.ask(kRows * kColumns * lines);
        const auto each = [&](auto&& visit) __attribute__((always_inline)) {
          for (int j = 0; j < kRows; ++j) {
            for (int i = 0; i < kColumns; ++i) visit(j, i);
          }
        };
        if (last) each([&](int j, int i) { finish.ask_ahead((row + j) * kPanelRows, panel + i); });
        const float* left = target.left + row * steps.left_panel + step * kPanelRows;
        const float* columns_of_panel = tile_right + panel * stride;
        const bool weights_come = panel == 0 && row + 2 * kRows <= own_end;
        auto sums = weights_come ? multiply_panels<kRows, kColumns, true>(left, columns_of_panel, depth, steps)
                                 : multiply_panels<kRows, kColumns>(left, columns_of_panel, depth, steps);
        each([&](int j, int i) __attribute__((always_inline)) {
          float* kept = own_partial + (static_cast<std::ptrdiff_t>(panel + i) * row_panels + row + j) * kPanelRows * kPanelColumns;
          if (step > 0) add_kept(sums.of[j][i], kept);
          if (last) {
            finish(sums.of[j][i], (row + j) * kPanelRows, panel + i);
          } else {
            keep(kept, sums.of[j][i]);
          }
        });
      });
    }
    step += depth;
  } while (step < c.depth());
}

}  // namespace cnn
