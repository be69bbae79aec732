// The loops of depthwise convolution: rows of a plane that lie in a small buffer with zeros around them, so
// that no tap asks where the edges are, and columns sorted by their remainder by the stride, so that every
// tap reads neighbours. For dwconv's source only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cnn/ops/windows.hpp"

namespace cnn::dwconv_rows {

inline constexpr int kLanes = 8;
/// Rows that are worked on together: enough independent sums to hide an addition's latency.
inline constexpr int kRows = 4;
/// Floats of a buffer: a first-level cache's worth.
inline constexpr int kBufferFloats = 8192;
inline constexpr int kMostTaps = 128;

using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));
using LaneBits = std::int32_t __attribute__((vector_size(kLanes * sizeof(float))));
/// The same as Lanes at any address.
using LooseLanes =
    float __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float)), may_alias));

inline const LooseLanes& lanes_at(const float* from) {
  return *reinterpret_cast<const LooseLanes*>(from);
}
inline LooseLanes& lanes_at(float* to) {
  return *reinterpret_cast<LooseLanes*>(to);
}

/// Copies fewer than kLanes floats: without the call that memcpy of a variable size is.
inline void copy_part(float* to, const float* from, int count) {
  for (int size = kLanes / 2; size > 0; size /= 2) {
    if ((count & size) == 0) continue;
    std::memcpy(to, from, static_cast<std::size_t>(size) * sizeof(float));
    to += size;
    from += size;
  }
}

inline void copy_floats(float* to, const float* from, int count) {
  for (; count >= kLanes; count -= kLanes, to += kLanes, from += kLanes) lanes_at(to) = lanes_at(from);
  copy_part(to, from, count);
}

/// A buffer's shape: row y holds `phases` runs of `phase` floats, run p the columns p, p + phases, ...
struct Layout {
  int phases = 1, phase = 0, rows = 0;

  int row() const { return phases * phase; }
  int floats() const { return rows * row(); }
};

/// Copies what exists of a plane's rows first_row .. and columns first_column .. into a buffer, whose other
/// places stay as they are: zero.
inline void fill(float* buffer, const Layout& layout, const float* plane, int height, int width,
                 int first_row, int first_column) {
  with_stride(layout.phases, [&](auto phases) {
    for (int p = 0; p < phases; ++p) {
      const int before =
          -(first_column + p);  // columns of the phase that lie left of the plane, times `phases`
      const int begin = before > 0 ? (before + phases - 1) / phases : 0;
      const int reach = width + before;
      const int end = std::min(reach > 0 ? (reach + phases - 1) / phases : 0, layout.phase);
      if (begin >= end) continue;
      const int last_row = std::min(first_row + layout.rows, height);
      for (int y = std::max(first_row, 0); y < last_row; ++y) {
        const float* __restrict from =
            plane + static_cast<std::ptrdiff_t>(y) * width + (begin * phases - before);
        float* __restrict to = buffer + (y - first_row) * layout.row() + p * layout.phase + begin;
        if (phases == 1) {
          copy_floats(to, from, end - begin);
        } else {
          for (int i = 0; i < end - begin; ++i) to[i] = from[i * phases];
        }
      }
    }
  });
}

/// Where each tap reads, from where the output would be, and what it multiplies with.
struct Taps {
  int count = 0;
  int offsets[kMostTaps];
  float weights[kMostTaps];
};

/// `rows` (at most kRows) rows of `width` outputs, `to_step` apart: bias + the sum over the taps of weight *
/// from.
template <int kCount>
void convolve_rows(float* to, std::ptrdiff_t to_step, int rows, int width, const float* from, int from_step,
                   const Taps& taps, float bias) {
  const int count = kCount > 0 ? kCount : taps.count;
  const int part = std::min(width, kLanes);
  for (int x = 0;; x = std::min(x + kLanes, width - kLanes)) {  // the last one may do again what is done
    Lanes sums[kRows];
    for (Lanes& sum : sums) sum = Lanes{} + bias;
    for (int tap = 0; tap < count; ++tap) {
      const float weight = taps.weights[tap];
      const float* at = from + x + taps.offsets[tap];
      for (int row = 0; row < kRows; ++row) sums[row] += weight * lanes_at(at + row * from_step);
    }
    for (int row = 0; row < rows; ++row) {
      float* at = to + row * to_step + x;
      if (part == kLanes) {
        lanes_at(at) = sums[row];
      } else {
        copy_part(at, reinterpret_cast<const float*>(&sums[row]), part);
      }
    }
    if (x + kLanes >= width) return;
  }
}

inline void convolve(float* to, std::ptrdiff_t to_step, int rows, int width, const float* from, int from_step,
                     const Taps& taps, float bias) {
  if (taps.count == 9) return convolve_rows<9>(to, to_step, rows, width, from, from_step, taps, bias);
  if (taps.count == 25) return convolve_rows<25>(to, to_step, rows, width, from, from_step, taps, bias);
  convolve_rows<0>(to, to_step, rows, width, from, from_step, taps, bias);
}

/// Taps whose products are summed together, as many as registers hold.
inline constexpr int kGroup = 9;

/// sums[tap], lane by lane, += `rows` rows of `width` elements of d_out times what the tap reads, for kGroup
/// taps.
inline void correlate(Lanes* sums, const int* offsets, const float* d_out, int rows, int width,
                      const float* from, int from_step) {
  Lanes group[kGroup];
  std::copy_n(sums, kGroup, group);
  LaneBits last = {};  // the lanes of a row's last vector that are in the row
  for (int lane = 0; lane < kLanes; ++lane) last[lane] = lane < (width - 1) % kLanes + 1 ? -1 : 0;
  for (int row = 0; row < rows; ++row, d_out += width, from += from_step) {
    for (int x = 0; x < width; x += kLanes) {
      Lanes d = {};
      if ((rows - row) * width - x >= kLanes) {
        d = lanes_at(d_out + x);
        if (x + kLanes > width) d = reinterpret_cast<Lanes>(reinterpret_cast<LaneBits>(d) & last);
      } else {
        copy_part(reinterpret_cast<float*>(&d), d_out + x, width - x);
      }
      for (int tap = 0; tap < kGroup; ++tap) group[tap] += d * lanes_at(from + x + offsets[tap]);
    }
  }
  std::copy_n(group, kGroup, sums);
}

}  // namespace cnn::dwconv_rows
