// Rows that are read straight from planes, or gathered, become panels.
#include "cnn/ops/conv/column_rows.hpp"

namespace cnn {

ColumnRows::ColumnRows(const TileColumns& columns, const Correlation& c, float* table) {
  if (ColumnStrips::fit(columns, c, piece_floats(c))) {
    strips_.emplace(columns, c, table);
  } else {
    pieces_.emplace(columns, c, table);
  }
}

void ColumnRows::gather(float* row, const Loaded& source, int channel, int tap) {
  if (strips_) return strips_->gather(row, source, channel, tap);
  pieces_->gather(row, source, channel, tap);
}

namespace {

// As below, for columns in_whole_pieces() of kPanelColumns: straight from plane to panel.
template <class Map>
[[gnu::always_inline]] inline void pack_row(float* to, const float* channel, const TileColumns& columns, std::ptrdiff_t stride,
                                            Map&& map) {
  for (int i = 0; i < columns.runs; ++i) {
    const float* from = channel + columns.run[i].image + columns.run[i].x;
    for (int column = 0; column < columns.run[i].count; column += kPanelColumns, to += stride) {
      store(to, map(load(from + column)));
      store(to + kLanes, map(load(from + column + kLanes)));
    }
  }
}

void pack_planes(float* right, std::ptrdiff_t stride, const Loaded& source, const TileColumns& columns, const Correlation& c,
                 int begin, int end) {
  const std::ptrdiff_t plane = Planes(c).source * c.block;
  for (int step = begin; step < end; ++step, right += kPanelColumns) {
    const int channel = c.group * c.in_channels + step;
    const float* from = source.map.data + channel * plane;
    if (source.affine == nullptr) {
      pack_row(right, from, columns, stride, [](Vector value) { return value; });
    } else {
      pack_row(right, from, columns, stride, ChannelMap(source, channel, c.groups * c.in_channels));
    }
  }
}

}  // namespace

void pack_columns(float* right, std::ptrdiff_t stride, const Loaded& source, const TileColumns& columns, ColumnRows& rows,
                  const Correlation& c, int begin, int end) {
  if (in_whole_pieces(columns, c, kPanelColumns)) return pack_planes(right, stride, source, columns, c, begin, end);
  alignas(64) float row[kRowFloats];
  for (int step = begin; step < end; ++step) {
    rows.gather(row, source, c.group * c.in_channels + step / c.taps(), step % c.taps());
    for (int i = columns.count; i % kPanelColumns != 0; ++i) row[i] = 0;
    float* to = right + static_cast<std::ptrdiff_t>(step - begin) * kPanelColumns;
    for (int first = 0; first < columns.count; first += kPanelColumns, to += stride) {
      for (int i = 0; i < kPanelColumns; i += kWideLanes) store(to + i, load_as<Wide>(row + first + i));
    }
  }
}

}  // namespace cnn
