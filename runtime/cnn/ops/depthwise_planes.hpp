// A depthwise convolution's planes: laid out so that each tap of the kernel is one shift, then summed in vectors.
// For its sources only.
#pragma once

#include "cnn/ops/channel_map.hpp"
#include "cnn/ops/correlate.hpp"
#include "cnn/ops/dwconv.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

/// Which columns [begin, end) of a phase's row lie in the input, and the first's place in the input's row.
struct PhaseColumns {
  int begin, end, first;

  PhaseColumns(const ConvGeometry& g, const DepthwiseLayout& layout, int phase) {
    const int shift = phase - g.pad_left;  // column x is the input's x * stride + shift
    begin = shift >= 0 ? 0 : std::min((-shift + g.stride_width - 1) / g.stride_width, layout.pitch);
    const int last = g.in_width - 1 - shift;
    end = last < 0 ? begin : std::clamp(last / g.stride_width + 1, begin, layout.pitch);
    first = begin * g.stride_width + shift;
  }
};

/// Calls visit(phase's row, the input's row or -1 above and below it, columns) for all rows of all phases.
template <class Visit>
void for_each_phase_row(const ConvGeometry& g, const DepthwiseLayout& layout, Visit&& visit) {
  std::ptrdiff_t row = 0;
  for (int phase_y = 0; phase_y < layout.phases_height; ++phase_y) {
    for (int phase_x = 0; phase_x < layout.phases_width; ++phase_x) {
      const PhaseColumns columns(g, layout, phase_x);
      for (int y = 0; y < layout.rows; ++y, row += layout.pitch) {
        const int in_y = y * g.stride_height + phase_y - g.pad_top;
        visit(row, in_y >= 0 && in_y < g.in_height ? in_y : -1, columns);
      }
    }
  }
}

inline constexpr int kAhead = 256;  // floats before they are needed that memory is asked for

/// A copy of every kStride-th of `count` elements in whole vectors, up to seven too many; nothing is read from `end` on.
template <class Stride, class Map>
void copy_places(float* to, const float* from, int count, Stride stride, const float* end, const Map& map) {
  int i = 0;
  if (stride == 1) {
    for (; i < count && end - (from + i) >= kLanes; i += kLanes) {
      __builtin_prefetch(from + i + kAhead);
      store(to + i, map(load(from + i)));
    }
  } else if (stride == 2) {
    for (; i < count && end - (from + 2 * i) >= 2 * kLanes; i += kLanes) {
      __builtin_prefetch(from + 2 * i + kAhead);
      store(to + i, map(load_apart(from + 2 * i)));
    }
  }
  for (; i < count; ++i) to[i] = map(from[i * stride]);
}

/// Lays a plane of the input out in phases, mapped, zeros where there is padding. What is written beyond a row's end, the next
/// row overwrites; the last one's ends before the scratch does.
template <class Stride, class Map>
void gather_mapped(float* phases, const float* plane, const ConvGeometry& g, const DepthwiseLayout& layout,
                   Stride stride, const Map& map) {
  const float* end = plane + static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  for_each_phase_row(g, layout, [&](std::ptrdiff_t row, int in_y, const PhaseColumns& columns) {
    float* to = phases + row;
    if (in_y < 0) return clear_beyond(to, layout.pitch);
    clear_beyond(to, columns.begin);
    copy_places(to + columns.begin, plane + static_cast<std::ptrdiff_t>(in_y) * g.in_width + columns.first,
                columns.end - columns.begin, stride, end, map);
    clear_beyond(to + columns.end, layout.pitch - columns.end);
  });
}

/// As above, as the input is loaded.
inline void gather(float* phases, const Loaded& input, int channel, const float* plane, const ConvGeometry& g,
            const DepthwiseLayout& layout) {
  with_stride(g.stride_width, [&](auto stride) {
    if (input.affine == nullptr) {
      gather_mapped(phases, plane, g, layout, stride, [](auto value) { return value; });
    } else {
      gather_mapped(phases, plane, g, layout, stride, ChannelMap(input, channel, g.in_channels));
    }
  });
}

/// The phase that a tap reads, and how far from the output's place in it.
struct TapPlace {
  int phase;
  std::ptrdiff_t offset;
};

/// The layout, and where each tap reads in it: made once a call, since divisions cost more than a small
/// plane's sums.
struct Depthwise {
  DepthwiseLayout layout;
  TapPlace places[kMostDepthwiseTaps];

  explicit Depthwise(const ConvGeometry& g) : layout(g) {
    for (int tap = 0; tap < g.taps(); ++tap) {
      const int y = tap / g.kernel_width * g.dilation_height;
      const int x = tap % g.kernel_width * g.dilation_width;
      places[tap] = {y % g.stride_height * layout.phases_width + x % g.stride_width,
                     static_cast<std::ptrdiff_t>(y / g.stride_height) * layout.pitch + x / g.stride_width};
    }
  }

  /// Taps [first, first + kTapsTogether) of all phases; without weights, for places only.
  Taps taps_from(int first, int count, const float* weight) const {
    Taps taps;
    for (int tap = first; tap < std::min(first + kTapsTogether, count); ++tap) {
      taps.add(places[tap].phase * static_cast<std::ptrdiff_t>(layout.plane()) + places[tap].offset,
               weight == nullptr ? 0 : weight[tap]);
    }
    return taps;
  }
};

/// What one channel's sums become.
struct PlaneEpilogue {
  Vector bias, scale, shift, least, most;

  PlaneEpilogue(const Epilogue& epilogue, int channel, int channels)
      : bias(broadcast(epilogue.bias == nullptr ? 0 : epilogue.bias[channel])),
        scale(broadcast(epilogue.affine == nullptr ? 1 : epilogue.affine[channel])),
        shift(broadcast(epilogue.affine == nullptr ? 0 : epilogue.affine[channels + channel])),
        least(broadcast(least_of(epilogue.activation))),
        most(broadcast(most_of(epilogue.activation))) {}
};

/// Sums over N taps of a plane's rows at the layout's pitch: to `spare`, or, where they are the last taps, to the output.
/// `addend` is the plane that is added, or null. The epilogue is a copy, since stores of vectors may change anything else.
template <int N>
[[gnu::noinline]] void sum_plane(float* out, const float* phases, const Taps& taps, bool starts, bool last,
                                 const PlaneEpilogue epilogue, const float* addend, int height, int width, int pitch, float* spare) {
  const float* places[N];
  Vector weights[N];
  for (int tap = 0; tap < N; ++tap) {
    places[tap] = phases + taps.offsets[tap];
    weights[tap] = broadcast(taps.weights[tap]);
  }
  const auto sum_at = [&](std::ptrdiff_t place) {
    Vector sum = starts ? epilogue.bias : load(spare + place);
#pragma GCC unroll 9
    for (int tap = 0; tap < N; ++tap) sum += weights[tap] * load(places[tap] + place);
    return sum;
  };
  const auto finish = [&](Vector sum) { return at_most(at_least(sum, epilogue.least), epilogue.most); };
  std::ptrdiff_t place = 0;
  for (int y = 0; y < height; ++y, place += pitch - width) {
    int count = width;
    if (!last) {
      for (; count >= kLanes; count -= kLanes, place += kLanes) store(spare + place, sum_at(place));
      if (count > 0) store_part(spare + place, sum_at(place), count);
    } else if (addend == nullptr) {
      for (; count >= kLanes; count -= kLanes, place += kLanes, out += kLanes) {
        __builtin_prefetch(out + kAhead, 1);
        store(out, finish(sum_at(place) * epilogue.scale + epilogue.shift));
      }
      if (count > 0) store_part(out, finish(sum_at(place) * epilogue.scale + epilogue.shift), count);
    } else {
      for (; count >= kLanes; count -= kLanes, place += kLanes, out += kLanes, addend += kLanes) {
        store(out, finish(sum_at(place) * epilogue.scale + epilogue.shift + load(addend)));
      }
      if (count > 0) store_part(out, finish(sum_at(place) * epilogue.scale + epilogue.shift + load_part(addend, count)), count);
      addend += count;
    }
    place += count;
    if (last) out += count;
  }
}

/// One plane of the output from the input's phases; `spare` holds a plane at the layout's pitch.
inline void forward_plane(float* out, const float* phases, const float* weight, const PlaneEpilogue& epilogue, const float* addend,
                   const ConvGeometry& g, const Depthwise& depthwise, float* spare) {
  static constexpr decltype(&sum_plane<1>) kSums[kTapsTogether] = {sum_plane<1>, sum_plane<2>, sum_plane<3>, sum_plane<4>, sum_plane<5>,
                                                                   sum_plane<6>, sum_plane<7>, sum_plane<8>, sum_plane<9>};
  for (int first = 0; first < g.taps(); first += kTapsTogether) {
    const Taps taps = depthwise.taps_from(first, g.taps(), weight);
    kSums[taps.count - 1](out, phases, taps, first == 0, first + kTapsTogether >= g.taps(), epilogue, addend, g.out_height,
                          g.out_width, depthwise.layout.pitch, spare);
  }
}

}  // namespace cnn
