// Gathers and scatters columns a row of the output at a time; what differs is done with a row, Visit.
#include "cnn/ops/columns.hpp"

#include <cstring>

namespace cnn {

namespace {

// Which outputs [begin, end) of a row have their tap inside the input, and where the first of these is.
struct Inside {
  int begin, end, first;
};

Inside inside(const ConvGeometry& g, int tap) {
  const int shift = tap * g.dilation_width - g.pad_left;  // output x reads input x * stride + shift
  const int begin = shift >= 0 ? 0 : std::min((-shift + g.stride_width - 1) / g.stride_width, g.out_width);
  const int last = g.in_width - 1 - shift;
  const int end = last < 0 ? begin : std::clamp(last / g.stride_width + 1, begin, g.out_width);
  return {begin, end, begin * g.stride_width + shift};
}

// Calls visit(row of columns, row of the input or null above and below it, inside) for each tap and row of
// the output.
template <class Image, class Columns, class Visit>
void for_each_row(Columns* columns, Image* images, const ConvGeometry& g, const ColumnRange& range,
                  Visit&& visit) {
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const int first_image = range.row_begin / g.out_height;
  const int first_y = range.row_begin % g.out_height;
  for (int channel = range.channel_begin; channel < range.channel_end; ++channel) {
    Image* channel_images = images + (static_cast<std::ptrdiff_t>(channel) * g.block + first_image) * plane;
    for (int tap = 0; tap < g.taps(); ++tap) {
      const Inside span = inside(g, tap % g.kernel_width);
      const int shift = tap / g.kernel_width * g.dilation_height - g.pad_top;
      Image* image = channel_images;
      int y = first_y;
      for (int row = range.row_begin; row < range.row_end; ++row, columns += g.out_width) {
        const int in_y = y * g.stride_height + shift;
        const bool outside = in_y < 0 || in_y >= g.in_height;
        visit(columns, outside ? nullptr : image + static_cast<std::ptrdiff_t>(in_y) * g.in_width, span);
        if (++y == g.out_height) {
          y = 0;
          image += plane;
        }
      }
    }
  }
}

// Rows are short: fixed-size moves that overlap at the end beat a call of memcpy.
void copy_row(float* to, const float* from, int count) {
  constexpr int kMove = 8;
  if (count >= kMove) {
    for (int i = 0; i + kMove <= count; i += kMove) std::memcpy(to + i, from + i, kMove * sizeof(float));
    std::memcpy(to + count - kMove, from + count - kMove, kMove * sizeof(float));
  } else if (count >= kMove / 2) {
    std::memcpy(to, from, kMove / 2 * sizeof(float));
    std::memcpy(to + count - kMove / 2, from + count - kMove / 2, kMove / 2 * sizeof(float));
  } else {
    for (int i = 0; i < count; ++i) to[i] = from[i];
  }
}

}  // namespace

void gather_columns(float* columns, const float* input, const ConvGeometry& g, const ColumnRange& range) {
  for_each_row(columns, input, g, range, [&](float* row, const float* source, const Inside& span) {
    if (source == nullptr) return void(std::fill_n(row, g.out_width, 0.0f));
    for (int x = 0; x < span.begin; ++x) row[x] = 0;
    for (int x = span.end; x < g.out_width; ++x) row[x] = 0;
    if (span.begin == span.end) return;
    const float* from = source + span.first;
    if (g.stride_width == 1) return copy_row(row + span.begin, from, span.end - span.begin);
    for (int x = span.begin; x < span.end; ++x, from += g.stride_width) row[x] = *from;
  });
}

void scatter_columns(float* d_input, const float* columns, const ConvGeometry& g, const ColumnRange& range) {
  for_each_row(columns, d_input, g, range, [&](const float* row, float* target, const Inside& span) {
    if (target == nullptr || span.begin == span.end) return;
    float* __restrict to = target + span.first;
    const float* __restrict from = row + span.begin;
    const int count = span.end - span.begin;
    if (g.stride_width == 1) {
      for (int x = 0; x < count; ++x) to[x] += from[x];
    } else {
      for (int x = 0; x < count; ++x) to[static_cast<std::ptrdiff_t>(x) * g.stride_width] += from[x];
    }
  });
}

}  // namespace cnn
