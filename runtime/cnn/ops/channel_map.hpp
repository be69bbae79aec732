// Vectors as Loaded and Epilogue have them. For kernels' sources only.
#pragma once

#include "cnn/core/vector.hpp"
#include "cnn/ops/loaded.hpp"

namespace cnn {

inline Vector activate(Vector value, Activation activation) {
  if (activation == Activation::kNone) return value;
  value = at_least(value, Vector{});
  return activation == Activation::kRelu6 ? at_most(value, broadcast(6.0f)) : value;
}

/// How one channel of a map is loaded, where it has an affine part.
struct ChannelMap {
  float scale, shift, least, most;

  ChannelMap(const Loaded& source, int channel, int channels)
      : scale(source.affine[channel]),
        shift(source.affine[channels + channel]),
        least(least_of(source.activation)),
        most(most_of(source.activation)) {}

  Vector operator()(Vector value) const {
    return at_most(at_least(value * scale + shift, broadcast(least)), broadcast(most));
  }
  float operator()(float value) const {
    value = value * scale + shift;
    value = least > value ? least : value;
    return most < value ? most : value;
  }
};

}  // namespace cnn
