// Strips of rows: loaded phase by phase, copied tap by tap.
#include "cnn/ops/conv/column_strips.hpp"

namespace cnn {

namespace {

constexpr int kSlack = 2 * kWideLanes;  // floats that whole vectors may write or read beyond the last strip

// Where the first tap along a row reads, and how far the others are from it.
int first_shift(const CorrelationAxis& h) {
  return std::min(h.shift, h.shift + (h.taps - 1) * h.tap_spacing);
}
int reach(const CorrelationAxis& h) {
  return (h.taps - 1) * std::abs(h.tap_spacing);
}
// Places that a strip has beyond its run's outputs.
int more_places(const CorrelationAxis& h) {
  return reach(h) / h.stride;
}

// Phases that taps read.
int phases(const CorrelationAxis& h) {
  return std::min(h.stride, reach(h) + 1);
}

Wide every_third(const float* from) {
  Wide value = {};
  for (int i = 0; i < kWideLanes; ++i) value[i] = from[3 * i];
  return value;
}

// Every kStride'th float, kWideLanes of them.
template <int kStride>
Wide load_places(const float* from) {
  if constexpr (kStride == 1) return load_as<Wide>(from);
  if constexpr (kStride == 3) return every_third(from);
  if constexpr (kStride == 4) return every_other(load_places<2>(from), load_places<2>(from + 2 * kWideLanes));
  return every_other(load_as<Wide>(from), load_as<Wide>(from + kWideLanes));
}

// to[i] = map(from[i * stride]). Whole vectors are written, and where `beyond` read, too.
template <int kStride, class Map>
void load_places(float* to, const float* from, int count, bool beyond, const Map& map) {
  int i = 0;
  for (const int whole = beyond ? count : count - kWideLanes; i < whole; i += kWideLanes) store(to + i, map(load_places<kStride>(from + kStride * i)));
  for (; i < count; ++i) to[i] = map(broadcast(from[static_cast<std::ptrdiff_t>(i) * kStride]))[0];
}

// Zeros, in whole vectors: what lies behind is written later.
void write_zeros(float* to, int count) {
  for (int i = 0; i < count; i += kWideLanes) store(to + i, Wide{});
}

}  // namespace

bool ColumnStrips::fit(const TileColumns& columns, const Correlation& c, std::size_t floats) {
  constexpr int kShort = 48;  // outputs of a row: below, the ends of runs cost what the taps between save
  const CorrelationAxis& h = c.horizontal;
  if (h.taps < 2 || h.stride > kMostPhases || h.count < kShort) return false;
  return static_cast<std::size_t>(phases(h) * (columns.count + columns.runs * more_places(h)) + kSlack) <= floats;
}

ColumnStrips::ColumnStrips(const TileColumns& columns, const Correlation& c, float* memory)
    : columns_(columns), c_(c), phases_(phases(c.horizontal)), memory_(memory) {
  const CorrelationAxis& h = c.horizontal;
  for (int i = 0; i < columns.runs; ++i) {
    Strip& strip = strips_[i];
    strip.first = columns.run[i].x * h.stride + first_shift(h);
    strip.places = columns.run[i].count + more_places(h);
    for (int phase = 0; phase < phases_; ++phase) {
      const int x = strip.first + phase;
      const int begin = x >= 0 ? 0 : std::min((-x + h.stride - 1) / h.stride, strip.places);
      const int end = h.source > x ? std::clamp((h.source - 1 - x) / h.stride + 1, begin, strip.places) : begin;
      strip.begin[phase] = static_cast<std::int16_t>(begin);
      strip.end[phase] = static_cast<std::int16_t>(end);
    }
  }
}

void ColumnStrips::load_strips(const Loaded& source, int channel, int tap_row) {
  const CorrelationAxis& h = c_.horizontal;
  const CorrelationAxis& v = c_.vertical;
  const int channels = c_.groups * c_.in_channels;
  const std::ptrdiff_t plane = Planes(c_).source * c_.block;
  const float* from = source.map.data + channel * plane;
  const std::ptrdiff_t reach = static_cast<std::ptrdiff_t>(kWideLanes) * h.stride;  // of a whole vector
  with_channel_map(source, channel, channels, [&](const auto& map) {
    float* to = memory_;
    for (int i = 0; i < columns_.runs; ++i) {
      const Run& run = columns_.run[i];
      const Strip& strip = strips_[i];
      const int y = run.y * v.stride + v.shift + tap_row * v.tap_spacing;
      if (y < 0 || y >= v.source) {
        write_zeros(to, phases_ * strip.places);
        to += phases_ * strip.places;
        continue;
      }
      const float* row = from + run.image + static_cast<std::ptrdiff_t>(y) * h.source;
      if (channel + 1 < channels) ask_for(row + plane + run.x * h.stride, run.count * h.stride);
      const std::ptrdiff_t behind = (channels - 1 - channel) * plane + (v.source - 1 - y) * static_cast<std::ptrdiff_t>(h.source);
      for (int phase = 0; phase < phases_; ++phase, to += strip.places) {
        const int begin = strip.begin[phase], end = strip.end[phase];
        write_zeros(to, begin);
        const float* first = row + strip.first + phase + begin * h.stride;
        const bool beyond = behind >= reach;
        switch (h.stride) {
          case 1: load_places<1>(to + begin, first, end - begin, beyond, map); break;
          case 2: load_places<2>(to + begin, first, end - begin, beyond, map); break;
          case 3: load_places<3>(to + begin, first, end - begin, beyond, map); break;
          default: load_places<4>(to + begin, first, end - begin, beyond, map);
        }
        write_zeros(to + end, strip.places - end);
      }
    }
  });
}

void ColumnStrips::gather(float* row, const Loaded& source, int channel, int tap) {
  const CorrelationAxis& h = c_.horizontal;
  if (const int tap_row = tap / h.taps; channel != channel_ || tap_row != tap_row_) {
    load_strips(source, channel, tap_row);
    channel_ = channel;
    tap_row_ = tap_row;
  }
  const int shift = h.shift + tap % h.taps * h.tap_spacing - first_shift(h);
  const int phase = shift % h.stride, place = shift / h.stride;
  const float* from = memory_;
  for (int i = 0; i < columns_.runs; ++i) {
    const int count = columns_.run[i].count, places = strips_[i].places;
    const float* own = from + phase * places + place;
    for (int column = 0; column < count; column += kWideLanes) store(row + column, load_as<Wide>(own + column));
    row += count;
    from += phases_ * places;
  }
}

}  // namespace cnn
