// Counts a tile's columns through the rows and images of a batch, and gathers them.
#include "cnn/ops/conv/tile_columns.hpp"

namespace cnn {

TileColumns columns_of(const Correlation& c, std::ptrdiff_t source_stride, std::ptrdiff_t target_stride,
                       std::ptrdiff_t addend_stride, int begin, int end) {
  TileColumns columns;
  const Planes plane(c);
  const int width = c.horizontal.count;
  int image = begin / c.outputs();
  int y = begin % c.outputs() / width;
  int x = begin % width;
  for (int column = begin; column < end;) {
    const int count = std::min(width - x, end - column);
    const int block = image / c.block;
    const std::ptrdiff_t within = image % c.block;
    columns.run[columns.runs++] = {block * source_stride + within * plane.source, y, x, count};
    const std::ptrdiff_t row = within * plane.target +
                               static_cast<std::ptrdiff_t>(c.vertical.first + y * c.vertical.spacing) * c.horizontal.target +
                               c.horizontal.first;
    for (int i = 0; i < count; ++i) {
      const std::ptrdiff_t place = row + static_cast<std::ptrdiff_t>(x + i) * c.horizontal.spacing;
      columns.target[columns.count] = block * target_stride + place;
      columns.addend[columns.count++] = block * addend_stride + place;
    }
    column += count;
    x = 0;
    if (++y == c.vertical.count) {
      y = 0;
      ++image;
    }
  }
  for (int panel = 0; panel * kPanelColumns < columns.count; ++panel) {
    const int first = panel * kPanelColumns;
    const int last = first + kPanelColumns - 1;
    columns.together[panel] = last < columns.count && columns.target[last] - columns.target[first] == kPanelColumns - 1;
  }
  return columns;
}

ColumnPieces::ColumnPieces(const TileColumns& columns, const Correlation& c, float* table)
    : c_(c), table_(reinterpret_cast<ColumnPiece*>(table)) {
  const CorrelationAxis& v = c.vertical;
  const CorrelationAxis& h = c.horizontal;
  const std::ptrdiff_t plane = Planes(c).source;
  ColumnPiece* piece = table_;
  for (int tap = 0; tap < c.taps(); ++tap) {
    const int shift_y = v.shift + tap / h.taps * v.tap_spacing;
    const int shift_x = h.shift + tap % h.taps * h.tap_spacing;
    // Outputs of a row whose place is inside the source: [inside_begin, inside_end).
    const int inside_begin = shift_x >= 0 ? 0 : (-shift_x + h.stride - 1) / h.stride;
    const int inside_end = h.source > shift_x ? (h.source - 1 - shift_x) / h.stride + 1 : 0;
    int to = 0;
    for (int i = 0; i < columns.runs; ++i) {
      const Run& run = columns.run[i];
      const int y = run.y * v.stride + shift_y;
      const bool inside = y >= 0 && y < v.source;
      for (int first = 0; first < run.count; first += kLanes, ++piece) {
        const int x = run.x + first;
        const int count = std::min(kLanes, run.count - first);
        const int begin = inside ? std::clamp(inside_begin - x, 0, count) : 0;
        const int end = inside ? std::clamp(inside_end - x, begin, count) : 0;
        // Where nothing is inside, the image's first place is read as well as any other.
        const std::ptrdiff_t within =
            begin < end ? static_cast<std::ptrdiff_t>(y) * h.source + static_cast<std::ptrdiff_t>(x) * h.stride + shift_x : 0;
        *piece = {.from = run.image + within,
                  .to = static_cast<std::int16_t>(to + first),
                  .begin = static_cast<std::int8_t>(begin),
                  .end = static_cast<std::int8_t>(end),
                  .edge = within < 0 || within + static_cast<std::ptrdiff_t>(kLanes) * h.stride > plane};
      }
      to += run.count;
    }
    if (tap == 0) count_ = static_cast<int>(piece - table_);
  }
}

namespace {

using Mask = std::int32_t __attribute__((vector_size(32), aligned(4), may_alias));

// All bits of lanes [begin, end).
Mask mask_of(int begin, int end) {
  static constexpr std::int32_t kWindow[3 * kLanes] = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1};
  return *reinterpret_cast<const Mask*>(kWindow + kLanes - begin) & *reinterpret_cast<const Mask*>(kWindow + 2 * kLanes - end);
}

// Every `stride`th element for lanes [begin, end).
Vector load_lanes(const float* from, int stride, int begin, int end) {
  Vector value = {};
  for (int lane = begin; lane < end; ++lane) value[lane] = from[static_cast<std::ptrdiff_t>(lane) * stride];
  return value;
}

}  // namespace

// Pieces stand in the order of the columns: what one writes beyond its own the next one overwrites. `careful`: of a plane
// that has not enough beside it, nothing is read beyond it.
template <class Map>
void ColumnPieces::gather_mapped(float* row, const float* plane, const ColumnPiece* pieces, bool careful, const Map& map) const {
  const int stride = c_.horizontal.stride;
  const std::ptrdiff_t next = c_.taps() > 1 ? Planes(c_).source * c_.block : 0;  // what one tap reads only is asked for elsewhere
  const auto put = [row, plane, next, map](const ColumnPiece& piece, Vector value) {
    __builtin_prefetch(plane + next + piece.from);
    store(row + piece.to, reinterpret_cast<Vector>(reinterpret_cast<Mask>(map(value)) & mask_of(piece.begin, piece.end)));
  };
  const auto put_all = [&](auto&& take) {
    if (careful) {
      for (int i = 0; i < count_; ++i) {
        const ColumnPiece& piece = pieces[i];
        put(piece, piece.edge ? load_lanes(plane + piece.from, stride, piece.begin, piece.end) : take(plane + piece.from, piece));
      }
    } else {
#pragma GCC unroll 2
      for (int i = 0; i < count_; ++i) put(pieces[i], take(plane + pieces[i].from, pieces[i]));
    }
  };
  switch (stride) {
    case 1: return put_all([](const float* from, const ColumnPiece&) { return load(from); });
    case 2: return put_all([](const float* from, const ColumnPiece&) { return load_apart(from); });
    case 4:
      return put_all([](const float* from, const ColumnPiece&) {
        return __builtin_shufflevector(load_apart(from), load_apart(from + 2 * kLanes), 0, 2, 4, 6, 8, 10, 12, 14);
      });
    default:
      return put_all([&](const float* from, const ColumnPiece& piece) { return load_lanes(from, stride, piece.begin, piece.end); });
  }
}

void ColumnPieces::gather(float* row, const Loaded& source, int channel, int tap) const {
  const int channels = c_.groups * c_.in_channels;
  const float* plane = source.map.data + channel * Planes(c_).source * c_.block;
  const ColumnPiece* pieces = table_ + tap * count_;
  const std::ptrdiff_t whole = Planes(c_).source * c_.block, reach = static_cast<std::ptrdiff_t>(kLanes) * c_.horizontal.stride;
  const bool careful = channel * whole < reach || (channels - 1 - channel) * whole < reach;
  if (source.affine == nullptr) return gather_mapped(row, plane, pieces, careful, [](Vector value) { return value; });
  gather_mapped(row, plane, pieces, careful, ChannelMap(source, channel, channels));
}

}  // namespace cnn
