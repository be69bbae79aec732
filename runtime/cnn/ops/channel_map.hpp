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
  ChannelMap(float scale, float shift, Activation activation)
      : scale(scale), shift(shift), least(least_of(activation)), most(most_of(activation)) {}

  template <class V>
  V operator()(V value) const {
    return at_most(at_least(value * scale + shift, broadcast<V>(least)), broadcast<V>(most));
  }
  float operator()(float value) const {
    value = value * scale + shift;
    value = least > value ? least : value;
    return most < value ? most : value;
  }
};

/// Calls work(map) with what becomes of a channel's elements as they are loaded.
template <class Work>
void with_channel_map(const Loaded& source, int channel, int channels, Work&& work) {
  if (source.affine == nullptr) return work([](auto value) { return value; });
  work(ChannelMap(source, channel, channels));
}

/// A copy of `count` floats; rows are short, so moves of a fixed size that overlap at the end.
template <class Map>
void copy_mapped(float* to, const float* from, int count, Map&& map) {
  if (count >= kLanes) {
    int i = 0;
    for (; i + kLanes <= count; i += kLanes) store(to + i, map(load(from + i)));
    if (i < count) store(to + count - kLanes, map(load(from + count - kLanes)));
    return;
  }
  for (int i = 0; i < count; ++i) to[i] = map(broadcast(from[i]))[0];
}

}  // namespace cnn
