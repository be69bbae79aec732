// Strips of maps for Winograd's transforms: what a run of tiles reads, copied once with its padding and as it is loaded, so
// that all tiles are alike. For winograd's sources only.
#pragma once

#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/conv/winograd_transforms.hpp"

namespace cnn::winograd {

/// Tiles side by side: of one row of tiles of one image.
struct TileRun {
  int image, row, column;  // of the first; row and column count tiles
  int count;
};

/// Calls visit(run) for the runs of tiles [begin, end), none of more than `most`.
template <class Visit>
void for_each_run(const Tiles& tiles, int begin, int end, int most, Visit&& visit) {
  for (int tile = begin; tile < end;) {
    const int column = tile % tiles.columns;
    const int count = std::min({tiles.columns - column, end - tile, most});
    visit(TileRun{tile / (tiles.rows * tiles.columns), tile / tiles.columns % tiles.rows, column, count});
    tile += count;
  }
}

/// Floats of a row of a strip of `count` tiles that read kInputs places each: some more, since loads are of kLanes.
constexpr int strip_stride(int count) { return count * kOutputs + kLanes; }

/// The places of a plane of height x width, and where the plane lies that will be read next, as seen from it.
struct PlaneView {
  const float* data;
  int height, width;
  std::ptrdiff_t next;
};

/// strip [rows][stride]: the places from (y, x) on, `columns` of a row, zeros where the plane has none.
template <class Map>
inline void copy_mapped(float* strip, int stride, const PlaneView& plane, int y, int x, int rows, int columns, Map&& map) {
  const int begin = std::clamp(-x, 0, columns);
  const int end = std::clamp(plane.width - x, begin, columns);
  for (int row = 0; row < rows; ++row, strip += stride) {
    if (y + row < 0 || y + row >= plane.height) {
      for (int i = 0; i < stride; i += kLanes) store(strip + i, Vector{});
      continue;
    }
    const float* from = plane.data + static_cast<std::ptrdiff_t>(y + row) * plane.width + x;
    prefetch(from + plane.next, columns);
    for (int i = 0; i < begin; ++i) strip[i] = 0;
    int i = begin;
    if (end - begin >= kLanes) {
      for (; i + kLanes <= end; i += kLanes) store(strip + i, map(load(from + i)));
      if (i < end) store(strip + end - kLanes, map(load(from + end - kLanes)));
    } else {
      for (; i < end; ++i) strip[i] = map(broadcast(from[i]))[0];
    }
    for (i = end; i < columns; ++i) strip[i] = 0;
  }
}

/// As above, of channel `channel` of `channels`, as the source is loaded.
inline void copy_strip(float* strip, int stride, const PlaneView& plane, int y, int x, int rows, int columns,
                       const Loaded& source, int channel, int channels) {
  if (source.affine == nullptr) {
    copy_mapped(strip, stride, plane, y, x, rows, columns, [](Vector value) { return value; });
  } else {
    copy_mapped(strip, stride, plane, y, x, rows, columns, ChannelMap(source, channel, channels));
  }
}

}  // namespace cnn::winograd
