// The filter that forward and backward-input are, and its transformed weights. For winograd.cpp only.
#pragma once

#include <algorithm>

#include "cnn/core/team.hpp"
#include "cnn/ops/conv/winograd_transforms.hpp"

namespace cnn::winograd {

// A correlation with padding: forward, or backward-input with maps and weights turned.
struct Filter {
  int in_channels, in_height, in_width;
  int out_channels, out_height, out_width;
  int pad_top, pad_left;
  int taps;              // a side of the kernel
  int inputs = kInputs;  // a side of the inputs of a tile

  int outputs() const { return outputs_of(taps, inputs); }
  int points() const { return inputs * inputs; }
  std::ptrdiff_t in_plane() const { return static_cast<std::ptrdiff_t>(in_height) * in_width; }
  std::ptrdiff_t out_plane() const { return static_cast<std::ptrdiff_t>(out_height) * out_width; }
};

inline Filter forward_filter(const ConvGeometry& g, int inputs) {
  return {g.in_channels, g.in_height, g.in_width,      g.out_channels, g.out_height,
          g.out_width,   g.pad_top,   g.pad_left, g.kernel_height, inputs};
}

inline Filter backward_filter(const ConvGeometry& g) {
  return {g.out_channels, g.out_height, g.out_width, g.in_channels, g.in_height, g.in_width,
          g.kernel_height - 1 - g.pad_top, g.kernel_width - 1 - g.pad_left, g.kernel_height};
}

// Calls work.operator()<inputs, taps>() with what the filter has.
template <class Work>
void with_sides(const Filter& f, Work&& work) {
  if (f.taps == 5) return work.template operator()<kInputs, 5>();
  if (f.inputs == kInputs) return work.template operator()<kInputs, 3>();
  work.template operator()<kFewInputs, 3>();
}

// The weights of a panel's rows for one channel, transformed. Turned: rows are input channels, and taps are the other way
// round. Two floats behind the panel's rows, where the next channel's will be written, are spoilt but for the last channel.
template <int kSide, int kTaps>
void transform_weights_of(float* to, std::ptrdiff_t stride, const float* const (&rows)[kLanes], bool turned, bool last_channel) {
  constexpr int kCount = kTaps * kTaps;
  static_assert(kCount % kLanes == 1);
  Vector taps[kCount];
  for (int first = 0; first + kLanes <= kCount; first += kLanes) {
    Vector some[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) some[lane] = load(rows[lane] + first);
    transpose(some);
    for (int i = 0; i < kLanes; ++i) taps[first + i] = some[i];
  }
  for (int lane = 0; lane < kLanes; ++lane) taps[kCount - 1][lane] = rows[lane][kCount - 1];
  Vector half[kTaps][kSide];
  for (int column = 0; column < kTaps; ++column) {
    Vector taken[kTaps];
    for (int row = 0; row < kTaps; ++row) {
      const int tap = row * kTaps + column;
      taken[row] = turned ? taps[kCount - 1 - tap] : taps[tap];
    }
    transform_weights(half[column], taken);
  }
  for (int row = 0; row < kSide; ++row) {
    Vector taken[kTaps];
    for (int column = 0; column < kTaps; ++column) taken[column] = half[column][row];
    Vector points[kSide];
    transform_weights(points, taken);
    for (int column = 0; column < kSide; ++column) {
      float* place = to + (row * kSide + column) * stride;
      if (last_channel) {
        store_rows(place, points[column]);
      } else {
        store(place, points[column]);
      }
    }
  }
}

// The weights of a filter, as they are or as transform_all_weights() leaves them. Turned: those of the convolution whose gradient the
// filter computes.
struct Weights {
  const float* data;
  bool transformed, turned;
};

// Left panels [row_begin, row_end) of all points' weights [out][in], `stride` floats from point to point: one of the rows after the other
// from `to` on.
inline void transform_weights_of_rows(float* to, std::ptrdiff_t stride, const Weights& weights, const Filter& f, int row_begin, int row_end) {
  const std::ptrdiff_t taps = static_cast<std::ptrdiff_t>(f.taps) * f.taps;
  const std::ptrdiff_t row_step = weights.turned ? taps : f.in_channels * taps;
  const std::ptrdiff_t channel_step = weights.turned ? f.out_channels * taps : taps;
  for (int panel = row_begin; panel < row_end; ++panel) {
    for (int channel = 0; channel < f.in_channels; ++channel, to += kPanelRows) {
      const float* rows[kLanes];
      for (int lane = 0; lane < kLanes; ++lane) {  // the last row again where there is none: nobody reads its sums
        const int row = std::min(panel * kPanelRows + std::min(lane, kPanelRows - 1), f.out_channels - 1);
        rows[lane] = weights.data + row * row_step + channel * channel_step;
      }
      const bool last = channel + 1 == f.in_channels;
      with_sides(f, [&]<int kSide, int kTaps>() { transform_weights_of<kSide, kTaps>(to, stride, rows, weights.turned, last); });
    }
  }
}

// Those of `rows` panels from `first` on, by all threads.
inline void transform_all_weights(float* to, std::ptrdiff_t stride, const Weights& weights, const Filter& f, int first, int rows) {
  for_each_tile(rows, [&](int row) {
    transform_weights_of_rows(to + static_cast<std::ptrdiff_t>(row) * f.in_channels * kPanelRows, stride, weights, f, first + row, first + row + 1);
  });
}

}  // namespace cnn::winograd
