// A tile: columns of the source are packed, 256 steps of the depth at a time, and multiplied with all left panels.
#include "cnn/ops/conv/correlation.hpp"

#include "cnn/core/team.hpp"
#include "cnn/ops/conv/finish.hpp"
#include "cnn/ops/conv/tile_columns.hpp"

namespace cnn {

void share_columns(float* columns, const Loaded& source, const Correlation& c, int batch, const Scratch& scratch) {
  constexpr int kSteps = 64;  // of a task
  const CorrelationTiles tiles(c, batch);
  const std::ptrdiff_t stride = right_panel_stride(c.depth());
  const int chunks = panel_count(c.depth(), kSteps);
  for_each_tile(tiles.tiles * chunks, [&](int task) {
    const int tile = task / chunks;
    const int step = task % chunks * kSteps;
    const int begin = tiles.panel_begin(tile), end = tiles.panel_begin(tile + 1);
    const TileColumns own = columns_of(c, source.map.stride, 0, 0, begin * kPanelColumns,
                                       std::min(end * kPanelColumns, c.outputs() * batch));
    const ColumnPieces pieces(own, c, scratch.thread(team_rank()));
    pack_columns(columns + begin * stride + step * kPanelColumns, stride, source, own, pieces, c, step, std::min(step + kSteps, c.depth()));
  });
}

void correlate_tile(Blocked target, const Loaded& source, const float* left, const float* shared, const Epilogue& epilogue,
                    const Correlation& c, int batch, int task, float* scratch) {
  const CorrelationTiles tiles(c, batch);
  const int tile = task / tiles.row_parts;
  const int part = task % tiles.row_parts;
  const int row_panels = panel_count(c.out_channels, kPanelRows);
  const int row_begin = row_panels * part / tiles.row_parts;
  const int row_end = row_panels * (part + 1) / tiles.row_parts;
  const int begin = tiles.panel_begin(tile) * kPanelColumns;
  const int end = std::min(tiles.panel_begin(tile + 1) * kPanelColumns, c.outputs() * batch);
  const TileColumns columns =
      columns_of(c, source.map.stride, target.stride, epilogue.addend.stride, begin, end);
  const int panels = panel_count(columns.count, kPanelColumns);
  float* right = scratch;
  float* partial = scratch + kTilePanels * right_panel_stride(std::min(c.depth(), kCorrelationDepth));
  const ColumnPieces pieces(columns, c, scratch + correlation_scratch(c) - piece_floats(c));
  const Finish finish(target, epilogue, c, columns);
  // What is packed after the steps below `done`: more of this tile, or what is likely this thread's next one. Where taps
  // overlap it was read before.
  const auto what_comes = [&](int done) {
    if (shared != nullptr || c.taps() != 1 || c.horizontal.stride != 1 || c.vertical.count != 1) return Ahead();
    const int next = tile + team_size();
    const int planes = std::min(kCorrelationDepth, done < c.depth() ? c.depth() - done : c.depth());
    const int first = c.group * c.in_channels;
    if (done < c.depth()) return columns_ahead(source.map, c, begin, batch, first + done, planes);
    return next < tiles.tiles ? columns_ahead(source.map, c, tiles.panel_begin(next) * kPanelColumns, batch, first, planes) : Ahead();
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
      pack_columns(right, stride, source, columns, pieces, c, step, step + depth);
    }
    Ahead ahead = what_comes(step + depth);
    const int lines = ahead.lines() / std::max(panels * (row_end - row_begin), 1) + 1;
    const PanelSteps steps{.left_panel = static_cast<std::ptrdiff_t>(c.depth()) * kPanelRows, .right_panel = stride};
    for_each_product(row_begin, row_end, panels, [&]<int kRows, int kColumns>(int row, int panel) {
      ahead.ask(kRows * kColumns * lines);
      const auto each = [&](auto&& visit) __attribute__((always_inline)) {
        for (int j = 0; j < kRows; ++j) {
          for (int i = 0; i < kColumns; ++i) visit(j, i);
        }
      };
      if (last) each([&](int j, int i) { finish.prefetch((row + j) * kPanelRows, panel + i); });
      auto sums = multiply_panels<kRows, kColumns>(left + row * steps.left_panel + step * kPanelRows, tile_right + panel * stride, depth, steps);
      each([&](int j, int i) __attribute__((always_inline)) {
        float* kept = partial + (static_cast<std::ptrdiff_t>(panel + i) * row_panels + row + j) * kPanelRows * kPanelColumns;
        if (step > 0) add_kept(sums.of[j][i], kept);
        if (last) {
          finish(sums.of[j][i], (row + j) * kPanelRows, panel + i);
        } else {
          keep(kept, sums.of[j][i]);
        }
      });
    });
    step += depth;
  } while (step < c.depth());
}

}  // namespace cnn
