// Sums of shifted rows, the inner loops of depthwise convolution: a few taps at a time, in vectors. For its
// source only.
#pragma once

#include <cstddef>
#include <cstring>

namespace cnn {

/// Taps that share a loop: their weights and places fit into a processor's registers.
inline constexpr int kTapsTogether = 9;

/// Some of a kernel's taps: where each reads, in floats from the output's place, and its weight.
struct Taps {
  int count = 0;
  std::ptrdiff_t offsets[kTapsTogether];
  float weights[kTapsTogether];

  void add(std::ptrdiff_t offset, float weight) {
    offsets[count] = offset;
    weights[count++] = weight;
  }
};

/// out[i] = sum over N taps from `first` on of weight * in[i + offset], plus out[i] itself, or `start` where
/// kStart.
template <int N, bool kStart>
void correlate_taps(float* __restrict out, const float* __restrict in, std::ptrdiff_t count, const Taps& taps,
                    int first, float start) {
  const float* places[N];
  float weights[N];
  for (int tap = 0; tap < N; ++tap) {
    places[tap] = in + taps.offsets[first + tap];
    weights[tap] = taps.weights[first + tap];
  }
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    float sum = kStart ? start : out[i];
#pragma GCC unroll 9
    for (int tap = 0; tap < N; ++tap) sum += weights[tap] * places[tap][i];
    out[i] = sum;
  }
}

/// out[i] = sum of weight * in[i + offset] over the taps; the sum begins with `start` where `starts`, else
/// with out[i].
inline void correlate(float* out, const float* in, std::ptrdiff_t count, const Taps& taps, bool starts,
                      float start) {
  int tap = 0;
  const auto pass = [&]<int N>() {
    if (starts) {
      correlate_taps<N, true>(out, in, count, taps, tap, start);
    } else {
      correlate_taps<N, false>(out, in, count, taps, tap, start);
    }
    starts = false;
    tap += N;
  };
  if (taps.count == 9) return pass.operator()<9>();
  while (taps.count - tap >= 4) pass.operator()<4>();
  while (taps.count - tap >= 2) pass.operator()<2>();
  while (taps.count - tap >= 1) pass.operator()<1>();
}

/// sums[tap] += sum of d[i] * in[i + offset] over i; eight lanes of float, which become double every `kPiece`
/// elements.
template <int N>
void add_products_of_taps(double* sums, const float* d, const float* in, std::ptrdiff_t count,
                          const std::ptrdiff_t* offsets) {
  constexpr int kLanes = 8;
  constexpr std::ptrdiff_t kPiece = 1024;
  using Lanes [[gnu::vector_size(kLanes * sizeof(float))]] = float;
  for (std::ptrdiff_t begin = 0; begin < count; begin += kPiece) {
    const std::ptrdiff_t end = begin + kPiece < count ? begin + kPiece : count;
    Lanes totals[N] = {};
    std::ptrdiff_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      Lanes gradient;
      std::memcpy(&gradient, d + i, sizeof gradient);
#pragma GCC unroll 9
      for (int tap = 0; tap < N; ++tap) {
        Lanes values;
        std::memcpy(&values, in + offsets[tap] + i, sizeof values);
        totals[tap] += gradient * values;
      }
    }
    for (int tap = 0; tap < N; ++tap) {
      for (int lane = 0; lane < kLanes; ++lane) sums[tap] += static_cast<double>(totals[tap][lane]);
      for (std::ptrdiff_t rest = i; rest < end; ++rest) {
        sums[tap] += static_cast<double>(d[rest]) * static_cast<double>(in[offsets[tap] + rest]);
      }
    }
  }
}

/// The same for any number of taps up to kTapsTogether.
inline void add_products(double* sums, const float* d, const float* in, std::ptrdiff_t count,
                         const Taps& taps) {
  if (taps.count == 9) return add_products_of_taps<9>(sums, d, in, count, taps.offsets);
  int tap = 0;
  for (; taps.count - tap >= 3; tap += 3)
    add_products_of_taps<3>(sums + tap, d, in, count, taps.offsets + tap);
  for (; tap < taps.count; ++tap) add_products_of_taps<1>(sums + tap, d, in, count, taps.offsets + tap);
}

}  // namespace cnn
