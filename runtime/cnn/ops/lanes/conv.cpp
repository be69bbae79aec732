// Forward and backward-input are the same walk: for each place of the result, the products of all taps that reach it, with
// the sums of a few channels in registers from the first product to the last.
#include "cnn/ops/lanes/conv.hpp"

#include "cnn/ops/lanes/products.hpp"

namespace cnn::lanes {

namespace {

// The taps that reach a place along one axis, and where each finds its element.
struct Taps {
  int first, step, count;
  int source, source_step;

  bool meet_same_weights(const Taps& other) const {
    return first == other.first && step == other.step && count == other.count && source_step == other.source_step;
  }
};

// One axis of a walk; `size` is that of the source.
struct Axis {
  int kernel, stride, pad, dilation, size;
};

Taps clipped(Taps taps, int size) {
  while (taps.count > 0 && (taps.source < 0 || taps.source >= size)) {
    taps.first += taps.step;
    taps.source += taps.source_step;
    --taps.count;
  }
  const auto last = [&] { return taps.source + (taps.count - 1) * taps.source_step; };
  while (taps.count > 0 && (last() < 0 || last() >= size)) --taps.count;
  return taps;
}

struct Forward {
  static Taps taps(const Axis& axis, int place) {
    return clipped({.first = 0,
                    .step = 1,
                    .count = axis.kernel,
                    .source = place * axis.stride - axis.pad,
                    .source_step = axis.dilation},
                   axis.size);
  }
};

// Place p of the input is in output q by tap t where p + pad = q * stride + t * dilation.
struct Backward {
  static Taps taps(const Axis& axis, int place) {
    const int from = place + axis.pad;
    if (axis.stride == 1)
      return clipped({.first = 0, .step = 1, .count = axis.kernel, .source = from, .source_step = -axis.dilation}, axis.size);
    Taps taps{};
    for (int tap = 0; tap < axis.kernel; ++tap) {
      if ((from - tap * axis.dilation) % axis.stride != 0) continue;
      if (taps.count == 0) taps.first = tap;
      if (taps.count == 1) taps.step = tap - taps.first;
      ++taps.count;
    }
    taps.source = (from - taps.first * axis.dilation) / axis.stride;
    taps.source_step = -taps.step * axis.dilation / axis.stride;
    return clipped(taps, axis.size);
  }
};

// What is summed up: `rows` channels of the result of height x width, over `depth` channels of the source; the distances
// of weights from one row and one channel of the depth to the next.
struct Walk {
  Axis vertical, horizontal;
  int rows, height, width, depth;
  std::ptrdiff_t row, channel;
};

// `place`: floats from one place's elements to those of the next.
template <int kCount, int kRows>
[[gnu::always_inline]] inline void sum_places(Images (&sums)[kCount][kRows], const float* source, const float* weight,
                                              const Walk& walk, const Taps& vertical, const Taps& horizontal, std::ptrdiff_t place) {
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(walk.vertical.size) * walk.horizontal.size * kImages;
  const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(walk.horizontal.size) * kImages;
  source += vertical.source * line + horizontal.source * kImages;
  weight += vertical.first * walk.horizontal.kernel + horizontal.first;
  for (int channel = 0; channel < walk.depth; ++channel) {
    for (int y = 0; y < vertical.count; ++y) {
      add_products(sums, {.source = source + y * vertical.source_step * line,
                          .weight = weight + y * vertical.step * walk.horizontal.kernel,
                          .source_step = static_cast<std::ptrdiff_t>(horizontal.source_step) * kImages,
                          .weight_step = horizontal.step,
                          .row = walk.row,
                          .count = horizontal.count,
                          .place = place});
    }
    source += plane;
    weight += walk.channel;
  }
}

// kRows channels of a line of the result.
template <class Direction, int kRows>
void sum_line(float* to, const float* source, const float* weight, const float* bias, const Walk& walk, const Taps& vertical) {
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(walk.height) * walk.width * kImages;
  const auto sum = [&]<int kCount>(std::integral_constant<int, kCount>, const Taps& taps, std::ptrdiff_t place) {
    Images sums[kCount][kRows];
    begin_sums(sums, bias);
    sum_places(sums, source, weight, walk, vertical, taps, place);
#pragma GCC unroll 2
    for (int i = 0; i < kCount; ++i, to += kImages) store_rows(to, plane, sums[i]);
  };
  Taps taps = Direction::taps(walk.horizontal, 0);
  for (int x = 0; x < walk.width;) {
    const Taps next = Direction::taps(walk.horizontal, x + 1);
    if (kPlaces == 2 && x + 1 < walk.width && taps.meet_same_weights(next)) {
      sum(std::integral_constant<int, kPlaces>(), taps, static_cast<std::ptrdiff_t>(next.source - taps.source) * kImages);
      x += 2;
      taps = Direction::taps(walk.horizontal, x);
    } else {
      sum(std::integral_constant<int, 1>(), taps, 0);
      ++x;
      taps = next;
    }
  }
}

template <class Direction>
void correlate(Blocked output, ConstBlocked input, const float* weight, const float* bias, const Walk& walk, int batch) {
  const std::ptrdiff_t line_work = static_cast<std::ptrdiff_t>(walk.rows) * walk.depth * walk.width *
                                   walk.vertical.kernel * walk.horizontal.kernel;
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(walk.height) * walk.width * kImages;
  for_each_range(batch, walk.height, units_in_tile(walk.height, line_work), [&](int block, int begin, int end) {
    for (int y = begin; y < end; ++y) {
      const Taps vertical = Direction::taps(walk.vertical, y);
      for_each_row_tile<kMostRowsOfPlaces>(walk.rows, [&](auto rows, int first) {
        float* to = output.block(block) + first * plane + static_cast<std::ptrdiff_t>(y) * walk.width * kImages;
        sum_line<Direction, rows>(to, input.block(block), weight + first * walk.row, bias != nullptr ? bias + first : nullptr, walk,
                                  vertical);
      });
    }
  });
}

void forward(Blocked output, ConstBlocked input, const float* weight, const float* bias, const ConvGeometry& g, int batch) {
  const Walk walk{.vertical = {g.kernel_height, g.stride_height, g.pad_top, g.dilation_height, g.in_height},
                  .horizontal = {g.kernel_width, g.stride_width, g.pad_left, g.dilation_width, g.in_width},
                  .rows = g.out_channels,
                  .height = g.out_height,
                  .width = g.out_width,
                  .depth = g.in_channels,
                  .row = g.depth(),
                  .channel = g.taps()};
  correlate<Forward>(output, input, weight, bias, walk, batch);
}

}  // namespace

void conv(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias, const ConvGeometry& g, int batch) {
  if (covers_map(g)) return dense(output, input, weight, bias, as_dense(g), batch);
  forward(output, input, weight.data(), bias.data(), g, batch);
}

void conv(Blocked output, ConstBlocked input, ConstFloats weight, const ConvGeometry& g, int batch) {
  if (covers_map(g)) return dense(output, input, weight, as_dense(g), batch);
  forward(output, input, weight.data(), nullptr, g, batch);
}

void conv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g, int batch) {
  if (covers_map(g)) return dense_backward_input(d_input, d_output, weight, as_dense(g), batch);
  const Walk walk{.vertical = {g.kernel_height, g.stride_height, g.pad_top, g.dilation_height, g.out_height},
                  .horizontal = {g.kernel_width, g.stride_width, g.pad_left, g.dilation_width, g.out_width},
                  .rows = g.in_channels,
                  .height = g.in_height,
                  .width = g.in_width,
                  .depth = g.out_channels,
                  .row = g.taps(),
                  .channel = g.depth()};
  correlate<Backward>(d_input, d_output, weight.data(), nullptr, walk, batch);
}

}  // namespace cnn::lanes
