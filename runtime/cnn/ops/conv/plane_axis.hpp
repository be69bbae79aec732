// Maps as planes that have a correlation's padding, and of a stride s every s-th place: then all that a tap reads lies side by side, and
// what another tap reads some places further on. For conv's sources only.
#pragma once

#include "cnn/ops/conv.hpp"

namespace cnn {

inline constexpr int kMostPhases = 8;  // planes of a channel along one axis
inline constexpr int kMostTaps = 16;   // along one axis

/// Whether what reads planes works for a convolution.
constexpr bool has_planes(const ConvGeometry& g) {
  return g.groups == 1 && g.block == 1 && g.stride_height <= kMostPhases && g.stride_width <= kMostPhases && g.kernel_height <= kMostTaps &&
         g.kernel_width <= kMostTaps;
}

/// One axis of a correlation: the planes that its taps read, and where.
struct PlaneAxis {
  int planes = 1;                // of a channel
  int first[kMostTaps] = {};     // place of the source that each begins at
  int stride = 1;                // places of the source from one place of a plane to the next
  int extent = 0;                // places of a plane
  int taps = 1;                  // that are left
  int plane[kMostTaps] = {};     // which each of them reads
  int offset[kMostTaps] = {};    // and from which place on

  /// `spread`: each tap has a plane of its own, which holds what it reads.
  constexpr PlaneAxis(const CorrelationAxis& axis, bool spread) : stride(axis.stride), extent(axis.count), taps(axis.taps) {
    if (spread) {
      planes = axis.taps, taps = 1;
      for (int tap = 0; tap < axis.taps; ++tap) first[tap] = axis.shift + tap * axis.tap_spacing;
      return;
    }
    planes = 0;
    int least = 0, most = 0;
    for (int tap = 0; tap < taps; ++tap) {
      const int steps = floor_of(axis.shift + tap * axis.tap_spacing, stride);
      least = tap == 0 || steps < least ? steps : least;
      most = tap == 0 || steps > most ? steps : most;
    }
    for (int tap = 0; tap < taps; ++tap) {
      const int at = axis.shift + tap * axis.tap_spacing;
      offset[tap] = floor_of(at, stride) - least;
      const int start = at - offset[tap] * stride;
      plane[tap] = 0;
      while (plane[tap] < planes && first[plane[tap]] != start) ++plane[tap];
      if (plane[tap] == planes) first[planes++] = start;
    }
    extent += most - least;
  }

  constexpr int reach() const {
    int most = 0;
    for (int tap = 0; tap < taps; ++tap) most = offset[tap] > most ? offset[tap] : most;
    return most;
  }

 private:
  static constexpr int floor_of(int value, int divisor) { return value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor); }
};

/// Numbers of places between a channel's planes: an odd number of cache lines.
constexpr std::ptrdiff_t pitch_of(std::ptrdiff_t places) { return ((places + 15) / 16 | 1) * 16; }

}  // namespace cnn
