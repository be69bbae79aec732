// What kernels do beside their own work, so that nothing has to go through memory once more: to the input as they load it,
// and to the output before they store it.
#pragma once

#include <concepts>
#include <limits>

#include "cnn/core/types.hpp"

namespace cnn {

/// Activations that cost nothing beside other work: both cut off.
enum class Activation { kNone, kRelu, kRelu6 };

/// The bounds that an activation cuts off at.
constexpr float least_of(Activation activation) {
  return activation == Activation::kNone ? -std::numeric_limits<float>::infinity() : 0.0f;
}
constexpr float most_of(Activation activation) {
  return activation == Activation::kRelu6 ? 6.0f : std::numeric_limits<float>::infinity();
}

/// Numbers of each channel, those of one kind together and kind after kind `stride` apart: a table of a layer's own channels (0:
/// as far apart as the layer has channels), or of some that lie within a larger table, as those of a concat's arms do.
struct ConstChannelTable {
  const float* data = nullptr;
  std::ptrdiff_t stride = 0;

  template <std::convertible_to<ConstFloats> Numbers>
  constexpr ConstChannelTable(Numbers&& own) : data(ConstFloats(own).data()) {}  // NOLINT: a table of its own
  constexpr ConstChannelTable(const float* data, std::ptrdiff_t stride) : data(data), stride(stride) {}

  const float* kind(int index, int channels) const { return data + index * (stride == 0 ? channels : stride); }
};

struct ChannelTable {
  float* data = nullptr;
  std::ptrdiff_t stride = 0;

  template <std::convertible_to<Floats> Numbers>
  constexpr ChannelTable(Numbers&& own) : data(Floats(own).data()) {}  // NOLINT: a table of its own
  /// The channels from `first` on of a table of `channels`.
  constexpr ChannelTable(Floats whole, std::ptrdiff_t first, std::ptrdiff_t channels) : data(whole.data() + first), stride(channels) {}
  constexpr operator ConstChannelTable() const { return {data, stride}; }  // NOLINT: as span to const

  float* kind(int index, int channels) const { return data + index * (stride == 0 ? channels : stride); }
};

/// A map as a kernel loads it: activation(element * scale[channel] + shift[channel]), where padding stays 0. `affine` has
/// the scales of all channels, then the shifts; without it the map is loaded as it is.
struct Loaded {
  ConstBlocked map;
  const float* affine = nullptr;
  Activation activation = Activation::kNone;

  template <std::convertible_to<ConstBlocked> Map>
  constexpr Loaded(const Map& map) : map(map) {}  // NOLINT: a map is loaded as it is
  constexpr Loaded(ConstBlocked map, ConstFloats affine, Activation activation)
      : map(map), affine(affine.data()), activation(activation) {}
};

/// What becomes of a sum before it is stored: activation((sum + bias[channel]) * scale[channel] + shift[channel] + an
/// element of `addend`). What is not given is left out.
struct Epilogue {
  const float* bias = nullptr;
  const float* affine = nullptr;  // as Loaded's
  ConstBlocked addend = {};
  Activation activation = Activation::kNone;
  Activation behind = Activation::kNone;  // the target holds its output: what it cut off becomes 0

  constexpr Epilogue with_bias(ConstFloats values) const {
    Epilogue result = *this;
    result.bias = values.data();
    return result;
  }
  constexpr Epilogue scaled(ConstFloats scale_and_shift) const {
    Epilogue result = *this;
    result.affine = scale_and_shift.data();
    return result;
  }
  constexpr Epilogue plus(ConstBlocked map) const {
    Epilogue result = *this;
    result.addend = map;
    return result;
  }
  constexpr Epilogue then(Activation kind) const {
    Epilogue result = *this;
    result.activation = kind;
    return result;
  }
  constexpr Epilogue behind_what(Activation kind) const {
    Epilogue result = *this;
    result.behind = kind;
    return result;
  }
};

/// Where a gradient goes: to a map; in addition to what it holds; or in place of what it holds, an activation's output, as the gradient
/// of that activation's input.
struct Result {
  Blocked map;
  bool add = false;
  Activation behind = Activation::kNone;

  template <std::convertible_to<Blocked> Map>
  constexpr Result(Map&& map) : map(map) {}  // NOLINT: a map is overwritten
  constexpr Result(const Blocked& map, bool add, Activation behind) : map(map), add(add), behind(behind) {}

  /// What a kernel does to the sums that are the gradient.
  constexpr Epilogue epilogue() const { return (add ? Epilogue().plus(map) : Epilogue()).behind_what(behind); }
};
constexpr Result added_to(const Blocked& map) {
  return {map, true, Activation::kNone};
}
/// The map holds the output of an activation that cuts off, and gets the gradient of what that was given.
constexpr Result in_place_of(Activation activation, const Blocked& output) {
  return {output, false, activation};
}

/// A gradient where an activation that gave `output`, less than `most`, let something pass, else 0.
template <class V>
V passed(V gradient, V output, V most) {
  const auto lets_through = (output > V{}) & (output < most);
  return lets_through ? gradient : V{};
}

}  // namespace cnn
