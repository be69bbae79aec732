// The products of direct convolutions: sums of a few places by a panel or two of output channels, in registers. For conv's sources only.
#pragma once

#include "cnn/core/vector.hpp"
#include "cnn/ops/conv/direct.hpp"

namespace cnn::direct {

/// Registers of a panel's step, and what fits into all of them: places of a tile, panels that share each number of the input, tiles that share
/// the weights.
#if defined(__AVX__)
using Part = Wide;
#else
using Part = float __attribute__((vector_size(16)));
#endif
using UnalignedPart = float __attribute__((vector_size(sizeof(Part)), aligned(4), may_alias));
inline constexpr int kPartLanes = sizeof(Part) / sizeof(float);
inline constexpr int kParts = kPanelChannels / kPartLanes;
#if defined(__AVX512F__)
inline constexpr int kPlaces = kTilePlaces, kPanels = kPanelsAtOnce, kTilesAtOnce = 2;
#elif defined(__AVX__)
inline constexpr int kPlaces = 6, kPanels = 1, kTilesAtOnce = 1;
#else
inline constexpr int kPlaces = 3, kPanels = 1, kTilesAtOnce = 1;
#endif
static_assert(kPlaces <= kTilePlaces && kPanels <= kPanelsAtOnce);

/// What a task multiplies of the depth.
struct Steps {
  const float* weights[kPanels];     // of each panel
  std::ptrdiff_t next[kPanels];      // from there to the weights that will be read next
  const float* input;                // of the first channel
  std::ptrdiff_t channel;            // floats between channels
  std::ptrdiff_t next_input;         // from there to the channels that will be read next
  int channels;
  const std::ptrdiff_t* taps;        // where each reads
  int tap_count;
  bool first;                        // sums begin with these
  bool asks;                         // what comes next is far away
};

/// sums [kTiles][kCount places][kOwn panels][kPanelChannels] += the input's numbers from each tile's place of `at` on by the weights. The same
/// places of the channels that come next are asked for where kAsks, and of the next weights those from `ask` on, `ask_step` floats for each step.
template <int kOwn, int kTiles, bool kAsks, int kCount>
[[gnu::noinline]] void multiply_tiles(float* sums, const Steps& steps, const std::ptrdiff_t* at, std::ptrdiff_t ask, int ask_step) {
  Part all[kTiles * kCount][kOwn][kParts];
  const auto each = [&](auto&& visit) __attribute__((always_inline)) {
#pragma GCC unroll 14
    for (int place = 0; place < kTiles * kCount; ++place) {
#pragma GCC unroll 2
      for (int panel = 0; panel < kOwn; ++panel) {
#pragma GCC unroll 4
        for (int part = 0; part < kParts; ++part) {
          visit(all[place][panel][part], reinterpret_cast<UnalignedPart*>(sums + (place * kOwn + panel) * kPanelChannels + part * kPartLanes));
        }
      }
    }
  };
  if (steps.first) {
    each([](Part& sum, const UnalignedPart*) __attribute__((always_inline)) { sum = Part{}; });
  } else {
    each([](Part& sum, const UnalignedPart* kept) __attribute__((always_inline)) { sum = *kept; });
  }
  const float* weights[kOwn];
  [[maybe_unused]] const float* next[kOwn];
  for (int panel = 0; panel < kOwn; ++panel) {
    weights[panel] = steps.weights[panel];
    next[panel] = steps.weights[panel] + steps.next[panel] + ask;
  }
  const std::ptrdiff_t apart = kTiles == 1 ? 0 : at[kTiles - 1] - at[0];  // the tiles
  [[maybe_unused]] const std::ptrdiff_t next_input = steps.next_input;
  const auto step = [&](const float* numbers) __attribute__((always_inline)) {
    Part own[kOwn][kParts];
#pragma GCC unroll 2
    for (int panel = 0; panel < kOwn; ++panel) {
      if constexpr (kAsks) {
        __builtin_prefetch(next[panel], 0, 2);
        next[panel] += ask_step;
      }
#pragma GCC unroll 4
      for (int part = 0; part < kParts; ++part) own[panel][part] = *reinterpret_cast<const UnalignedPart*>(weights[panel] + part * kPartLanes);
      weights[panel] += kPanelChannels;
    }
#pragma GCC unroll 2
    for (int tile = 0; tile < kTiles; ++tile, numbers += apart) {
      if constexpr (kAsks) __builtin_prefetch(numbers + next_input, 0, 2);
#pragma GCC unroll 7
      for (int place = 0; place < kCount; ++place) {
        Part number = numbers[place] - Part{};
#if defined(__AVX__)
        asm("" : "+v"(number));  // loaded once: loads are what this loop is short of
#endif
#pragma GCC unroll 2
        for (int panel = 0; panel < kOwn; ++panel) {
#pragma GCC unroll 4
          for (int part = 0; part < kParts; ++part) all[tile * kCount + place][panel][part] += number * own[panel][part];
        }
      }
    }
  };
  const float* input = steps.input + at[0];
  if (steps.tap_count == 1) {
    input += steps.taps[0];
#pragma GCC unroll 2
    for (int channel = 0; channel < steps.channels; ++channel, input += steps.channel) step(input);
  } else {
    for (int channel = 0; channel < steps.channels; ++channel, input += steps.channel) {
      for (int tap = 0; tap < steps.tap_count; ++tap) step(input + steps.taps[tap]);
    }
  }
  each([](const Part& sum, UnalignedPart* kept) __attribute__((always_inline)) { *kept = sum; });
}

template <int kOwn, int kTiles, bool kAsks, int kCount = kPlaces>
void multiply_tiles_of(int count, float* sums, const Steps& steps, const std::ptrdiff_t* at, std::ptrdiff_t ask, int ask_step) {
  if constexpr (kCount > 1) {
    if (count < kCount) return multiply_tiles_of<kOwn, kTiles, kAsks, kCount - 1>(count, sums, steps, at, ask, ask_step);
  }
  multiply_tiles<kOwn, kTiles, kAsks, kCount>(sums, steps, at, ask, ask_step);
}

/// The same for tiles of `count` places, kPlaces or fewer.
template <int kOwn, int kTiles>
void multiply_tiles(int count, float* sums, const Steps& steps, const std::ptrdiff_t* at, std::ptrdiff_t ask, int ask_step) {
  if (steps.asks) return multiply_tiles_of<kOwn, kTiles, true>(count, sums, steps, at, ask, ask_step);
  multiply_tiles_of<kOwn, kTiles, false>(count, sums, steps, at, ask, ask_step);
}

}  // namespace cnn::direct
