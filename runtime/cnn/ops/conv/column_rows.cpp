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

// A panel of a 1x1 kernel's columns: they follow each other in a channel's plane, the first `count` from `first` on, those behind as if
// they lay from `second` on.
struct PanelPlaces {
  std::ptrdiff_t first = 0, second = 0;
  int count = kPanelColumns;
};

void find_panels(PanelPlaces* panels, const TileColumns& columns) {
  int begin = 0;  // column of the run
  for (int i = 0; i < columns.runs; ++i) {
    const Run& run = columns.run[i];
    const std::ptrdiff_t place = run.image + run.x - begin;  // of column 0, if the run began there
    const int end = begin + run.count;
    if (const int shared = begin % kPanelColumns; shared != 0) {
      PanelPlaces& panel = panels[begin / kPanelColumns];
      panel.count = shared;
      panel.second = place + (begin - shared);
    }
    for (int panel = panel_count(begin, kPanelColumns); panel * kPanelColumns < end; ++panel) panels[panel] = {.first = place + panel * kPanelColumns};
    begin = end;
  }
}

// Lanes below `count` of one, the others of another.
Wide joined(Wide first, Wide second, int count) {
  using Places = std::int32_t __attribute__((vector_size(sizeof(Wide))));
  Places lanes;
  for (int i = 0; i < kWideLanes; ++i) lanes[i] = i;
  return lanes < count ? first : second;
}

// Straight from a plane to its step of the panels. Whole vectors are read: behind the last column what it is does not matter.
template <class Map>
[[gnu::always_inline]] inline void pack_plane(float* to, std::ptrdiff_t stride, const float* plane, const PanelPlaces* panels, int count, const Map& map) {
  for (const PanelPlaces* panel = panels; panel < panels + count; ++panel, to += stride) {
    for (int i = 0; i < kPanelColumns; i += kWideLanes) {
      Wide values = load_as<Wide>(plane + panel->first + i);
      if (panel->count < kPanelColumns) values = joined(values, load_as<Wide>(plane + panel->second + i), panel->count - i);
      store(to + i, map(values));
    }
  }
}

void pack_planes(float* right, std::ptrdiff_t stride, const Loaded& source, const TileColumns& columns, const Correlation& c,
                 int begin, int end) {
  PanelPlaces panels[kTilePanels];
  find_panels(panels, columns);
  const std::ptrdiff_t plane = Planes(c).source * c.block;
  const int count = panel_count(columns.count, kPanelColumns), channels = c.groups * c.in_channels;
  for (int step = begin; step < end; ++step, right += kPanelColumns) {
    const int channel = c.group * c.in_channels + step;
    with_channel_map(source, channel, channels, [&](const auto& map) __attribute__((always_inline)) {
      pack_plane(right, stride, source.map.data + channel * plane, panels, count, map);
    });
  }
}

}  // namespace

void pack_columns(float* right, std::ptrdiff_t stride, const Loaded& source, const TileColumns& columns, ColumnRows& rows,
                  const Correlation& c, int begin, int end) {
  int step = begin;
  if (are_planes(c) && c.horizontal.count >= kPanelColumns) {  // so that no panel reaches into a third image
    // Vectors read into the next channel's plane, and the last channel has none.
    const bool last = c.group + 1 == c.groups && end == c.in_channels && columns.count % kPanelColumns + c.horizontal.count % kPanelColumns != 0;
    step = last ? end - 1 : end;
    pack_planes(right, stride, source, columns, c, begin, step);
  }
  alignas(64) float row[kRowFloats];
  for (; step < end; ++step) {
    rows.gather(row, source, c.group * c.in_channels + step / c.taps(), step % c.taps());
    for (int i = columns.count; i % kPanelColumns != 0; ++i) row[i] = 0;
    float* to = right + static_cast<std::ptrdiff_t>(step - begin) * kPanelColumns;
    for (int first = 0; first < columns.count; first += kPanelColumns, to += stride) {
      for (int i = 0; i < kPanelColumns; i += kWideLanes) store(to + i, load_as<Wide>(row + first + i));
    }
  }
}

}  // namespace cnn
