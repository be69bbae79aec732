// Counts a tile's columns through the rows and images of a batch.
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

}  // namespace cnn
