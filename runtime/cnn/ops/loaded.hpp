// What kernels do beside their own work, so that nothing else has to go through memory once more: to the input as they
// load it, and to the output before they store it.
#pragma once

#include <concepts>

#include "cnn/core/types.hpp"

namespace cnn {

/// A map as a kernel loads it: element * scale[channel] + shift[channel], then at least 0 where `relu`; padding stays 0.
/// Without scale it is the map itself.
struct Loaded {
  ConstBlocked map;
  const float* scale = nullptr;
  const float* shift = nullptr;
  bool relu = false;

  template <std::convertible_to<ConstBlocked> Map>
  constexpr Loaded(const Map& map) : map(map) {}  // NOLINT: a map is loaded as it is
  constexpr Loaded(ConstBlocked map, ConstFloats scale_and_shift, bool relu)
      : map(map),
        scale(scale_and_shift.data()),
        shift(scale_and_shift.data() + scale_and_shift.size() / 2),
        relu(relu) {}

  bool as_it_is() const { return scale == nullptr && !relu; }
};

/// What becomes of a sum before it is stored: sum * scale[channel] + shift[channel], plus an element of `addend`, then at
/// least 0 where `relu`. What is not given is left out.
struct Epilogue {
  const float* scale = nullptr;
  const float* shift = nullptr;
  ConstBlocked addend = {};
  bool relu = false;

  constexpr bool nothing() const { return scale == nullptr && shift == nullptr && addend.data == nullptr && !relu; }
};

/// Epilogues, as generated code writes them: bias(conv1_bias).then_relu().
constexpr Epilogue bias(ConstFloats values) {
  return {.shift = values.data()};
}

}  // namespace cnn
