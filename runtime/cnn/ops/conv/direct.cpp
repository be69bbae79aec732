// A task multiplies one or two panels of weights with a band of an image's places, some of the depth at a time, so that the weights stay in
// the first cache while all tiles of the band are multiplied with them, and those that come next are asked for.
#include "cnn/ops/conv/direct.hpp"

#include "cnn/core/ahead.hpp"
#include "cnn/core/team.hpp"
#include "cnn/core/vector.hpp"
#include "cnn/ops/channel_map.hpp"

namespace cnn::direct {

namespace {

// Registers of a panel's step, and what fits into all of them: places of a tile, panels that share each number of the input, tiles that share
// the weights.
#if defined(__AVX__)
using Part = Wide;
#else
using Part = float __attribute__((vector_size(16)));
#endif
using UnalignedPart = float __attribute__((vector_size(sizeof(Part)), aligned(4), may_alias));
constexpr int kPartLanes = sizeof(Part) / sizeof(float);
constexpr int kParts = kPanelChannels / kPartLanes;
#if defined(__AVX512F__)
constexpr int kPlaces = kTilePlaces, kPanels = kPanelsAtOnce, kTilesAtOnce = 2;
#elif defined(__AVX__)
constexpr int kPlaces = 6, kPanels = 1, kTilesAtOnce = 1;
#else
constexpr int kPlaces = 3, kPanels = 1, kTilesAtOnce = 1;
#endif
static_assert(kPlaces <= kTilePlaces && kPanels <= kPanelsAtOnce);

constexpr int kNear = 1 << 16;  // weights that stay in a second-level cache with what is read besides
constexpr int kDepth = 128;     // steps of weights at a time: two panels are 16 KiB

// ---------- weights ----------

// Eight steps of `rows` output channels become eight rows of a panel's half.
void pack_block(float* to, const float* from, int depth, int rows, int steps) {
  Vector block[kLanes];
  for (int i = 0; i < kLanes; ++i) block[i] = i < rows ? load_first(from + static_cast<std::ptrdiff_t>(i) * depth, steps) : Vector{};
  transpose(block);
  for (int i = 0; i < steps; ++i) store(to + i * kPanelChannels, block[i]);
}

const float* pack_weights(const float* weight, const ConvGeometry& g, float* packed) {
  constexpr int kSteps = 512;  // of a task
  const int chunks = panel_count(g.depth(), kSteps);
  for_each_tile(panel_count(g.out_channels, kPanelChannels) * chunks, [&](int task) {
    const int panel = task / chunks, begin = task % chunks * kSteps, end = std::min(begin + kSteps, g.depth());
    float* to = packed + static_cast<std::ptrdiff_t>(panel) * g.depth() * kPanelChannels;
    for (int half = 0; half < kPanelChannels; half += kLanes) {
      const int row = panel * kPanelChannels + half;
      const float* from = weight + static_cast<std::ptrdiff_t>(std::min(row, g.out_channels - 1)) * g.depth();
      for (int step = begin; step < end; step += kLanes) {
        pack_block(to + step * kPanelChannels + half, from + step, g.depth(), std::min(g.out_channels - row, kLanes), std::min(end - step, kLanes));
      }
    }
  });
  return packed;
}

// ---------- planes ----------

// The first `count` of eight places `stride` apart, and nothing behind the last; as many zeros.
Vector load_places(const float* from, int stride, int count) {
  if (stride == 1) return load_first(from, count);
  if (stride == 2) {
    const int floats = 2 * std::min(count, kLanes) - 1;
    return __builtin_shufflevector(load_first(from, floats), load_first(from + kLanes, floats - kLanes), 0, 2, 4, 6, 8, 10, 12, 14);
  }
  Vector value = {};
  for (int i = 0; i < std::min(count, kLanes); ++i) value[i] = from[i * stride];
  return value;
}

// `count` places from place `at` of a row of `width` on, `stride` apart; those outside are 0. Written in whole vectors, so that what follows
// has to be written later.
template <class Map>
[[gnu::always_inline]] inline void copy_row(float* to, const float* row, int width, int at, int stride, int count, const Map& map) {
  const auto clear = [&](int begin, int end) {
    for (; begin < end; begin += kLanes) store(to + begin, once(Vector{}));
  };
  const int begin = std::min(at >= 0 ? 0 : (stride - 1 - at) / stride, count);
  const int end = std::clamp(at < width ? (width - at + stride - 1) / stride : 0, begin, count);
  clear(end, count);
  clear(0, begin);
  const float* from = row + at;
  int i = begin;
  if (stride == 1) {
    for (; i + kLanes <= end; i += kLanes) store(to + i, map(load(from + i)));
  } else if (stride == 2) {
    for (; i + kLanes < end; i += kLanes) store(to + i, map(load_apart(from + 2 * i)));
  }
  for (; i < end; i += kLanes) {
    const Vector value = map(load_places(from + i * stride, stride, end - i));
    if (end == count) {
      store(to + i, value);
    } else {
      store_first(to + i, value, end - i);
    }
  }
}

// The planes of a channel, whose map is `plane`, for outputs from row `first_row` on.
template <class Map>
void copy_planes(float* to, const float* plane, const Correlation& c, const Layout& layout, int first_row, const Map& map) {
  const CorrelationAxis &v = c.vertical, &h = c.horizontal;
  for (int vertical = 0; vertical < layout.vertical.planes; ++vertical) {
    for (int horizontal = 0; horizontal < layout.horizontal.planes; ++horizontal) {
      for (int row = 0; row < layout.plane_rows(); ++row, to += layout.width()) {
        const int y = layout.vertical.first[vertical] + (first_row + row) * v.stride;
        const bool inside = y >= 0 && y < v.source;
        copy_row(to, plane + (inside ? static_cast<std::ptrdiff_t>(y) * h.source : 0), inside ? h.source : 0, layout.horizontal.first[horizontal], h.stride,
                 layout.width(), map);
      }
    }
  }
}

// Whether the planes are the map itself.
bool reads_map(const Loaded& input, const Correlation& c) {
  return input.affine == nullptr && c.taps() == 1 && c.vertical.shift == 0 && c.horizontal.shift == 0 && c.vertical.stride == 1 &&
         c.horizontal.stride == 1 && c.horizontal.count == c.horizontal.source;
}

// ---------- products ----------

// What a task multiplies of the depth.
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

// sums [kTiles][kCount places][kOwn panels][kPanelChannels] += the input's numbers from each tile's place of `at` on by the weights. The same
// places of the channels that come next are asked for where kAsks, and of the next weights those from `ask` on, `ask_step` floats for each step.
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

template <int kOwn, int kTiles>
void multiply_tiles(int count, float* sums, const Steps& steps, const std::ptrdiff_t* at, std::ptrdiff_t ask, int ask_step) {
  if (steps.asks) return multiply_tiles_of<kOwn, kTiles, true>(count, sums, steps, at, ask, ask_step);
  multiply_tiles_of<kOwn, kTiles, false>(count, sums, steps, at, ask, ask_step);
}

// ---------- tasks ----------

// How the outputs of a batch are cut so that eight threads have work, or four where there is little: tiles of a row, a band of tiles, panels
// of weights.
struct Cut {
  int row_tiles, tiles;  // of a row, of an image
  int panels, groups;    // of weights, and of those that are multiplied at a time
  int bands;             // of an image

  Cut(const Correlation& c, int batch)
      : row_tiles(panel_count(c.horizontal.count, kPlaces)),
        tiles(row_tiles * c.vertical.count),
        panels(panel_count(c.out_channels, kPanelChannels)),
        groups(panel_count(panels, kPanels)) {
    constexpr std::int64_t kLittle = 1 << 20;  // products of registers
    const int wanted = static_cast<std::int64_t>(c.outputs()) * batch * panels * c.depth() < kLittle ? 4 : 8;
    bands = std::clamp(panel_count(wanted, batch * groups), panel_count(tiles, kBandTiles), std::max(tiles, 1));
  }
  int tile_begin(int band) const { return static_cast<int>(static_cast<std::int64_t>(tiles) * band / bands); }
};

// What a tile has: so many places from (y, x) on.
struct Tile {
  int y, x, count;

  Tile(const Correlation& c, const Cut& cut, int index)
      : y(index / cut.row_tiles), x(first(c, cut, index % cut.row_tiles)), count(first(c, cut, index % cut.row_tiles + 1) - x) {}

 private:
  // Where tiles can't all have as many places, those with one more come last, so that two that are multiplied together are the same.
  static int first(const Correlation& c, const Cut& cut, int index) {
    const int least = c.horizontal.count / cut.row_tiles, larger = c.horizontal.count % cut.row_tiles;
    return index * least + std::max(index - (cut.row_tiles - larger), 0);
  }
};

// The sums of a band become outputs: of a panel's channels, sixteen or eight places at a time.
class Finish {
 public:
  Finish(const Blocked& output, const Epilogue& epilogue, const Correlation& c, int image)
      : output_(output.block(image)),
        addend_(epilogue.addend.data == nullptr ? nullptr : epilogue.addend.block(image)),
        epilogue_(epilogue),
        channels_(c.out_channels),
        plane_(c.outputs()),
        least_(least_of(epilogue.activation)),
        most_(most_of(epilogue.activation)) {}

  /// What the band of `count` places from `place` on adds to the sums of some channels.
  Ahead addends(int channel, int channels, std::ptrdiff_t place, int count) const {
    if (addend_ == nullptr) return {};
    return {addend_ + channel * plane_ + place, count, plane_, std::min(channels, channels_ - channel)};
  }

  /// sums [count][stride] are those of a panel of channels from `channel` on, at places from `place` on.
  void operator()(const float* sums, int stride, int channel, std::ptrdiff_t place, int count) const {
    int first = 0;
#if defined(__AVX512F__)
    for (; first + 2 * kLanes <= count; first += 2 * kLanes) {
      Wide rows[2][kLanes];
      for (int i = 0; i < 2 * kLanes; ++i) rows[i / kLanes][i % kLanes] = load_as<Wide>(sums + (first + i) * stride);
      transpose(rows[0]);
      transpose(rows[1]);
#pragma GCC unroll 8
      for (int i = 0; i < kLanes; ++i) {
        store_channel(low_halves(rows[0][i], rows[1][i]), channel + i, place + first);
        store_channel(high_halves(rows[0][i], rows[1][i]), channel + kLanes + i, place + first);
      }
    }
#endif
    for (; first < count; first += kLanes) {
      const int own = std::min(count - first, kLanes);
      for (int half = 0; half < kPanelChannels; half += kLanes) {
        Vector rows[kLanes];
        for (int i = 0; i < kLanes; ++i) rows[i] = load(sums + (first + std::min(i, own - 1)) * stride + half);
        transpose(rows);
#pragma GCC unroll 8
        for (int i = 0; i < kLanes; ++i) store_channel(rows[i], channel + half + i, place + first, own);
      }
    }
  }

 private:
#if defined(__AVX512F__)
  static Wide low_halves(Wide near, Wide far) {
    return __builtin_shufflevector(near, far, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
  }
  static Wide high_halves(Wide near, Wide far) {
    return __builtin_shufflevector(near, far, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
#endif
  template <class V>
  [[gnu::always_inline]] V mapped(V value, int channel) const {
    if (epilogue_.bias != nullptr) value += epilogue_.bias[channel];
    if (epilogue_.affine != nullptr) value = value * epilogue_.affine[channel] + epilogue_.affine[channels_ + channel];
    return value;
  }
  template <class V>
  [[gnu::always_inline]] V clamped(V value) const {
    return at_most(at_least(value, broadcast<V>(least_)), broadcast<V>(most_));
  }
  // `count` of eight places.
  [[gnu::always_inline]] void store_channel(Vector value, int channel, std::ptrdiff_t place, int count) const {
    if (channel >= channels_) return;
    const std::ptrdiff_t at = channel * plane_ + place;
    value = mapped(value, channel);
    if (addend_ != nullptr) value += load_first(addend_ + at, count);
    store_first(output_ + at, clamped(value), count);
  }
#if defined(__AVX512F__)
  // All sixteen.
  [[gnu::always_inline]] void store_channel(Wide value, int channel, std::ptrdiff_t place) const {
    if (channel >= channels_) return;
    const std::ptrdiff_t at = channel * plane_ + place;
    value = mapped(value, channel);
    if (addend_ != nullptr) value += load_as<Wide>(addend_ + at);
    store(output_ + at, clamped(value));
  }
#endif

  float* output_;
  const float* addend_;
  const Epilogue& epilogue_;
  int channels_;
  std::ptrdiff_t plane_;
  float least_, most_;
};

// A band of an image's outputs.
struct Band {
  int begin, end;     // its tiles
  int first_row, rows;
  int place, count;   // of an output's plane

  Band(const Correlation& c, const Cut& cut, int index) : begin(cut.tile_begin(index)), end(cut.tile_begin(index + 1)) {
    const Tile from(c, cut, begin), last(c, cut, end - 1);
    first_row = from.y;
    rows = last.y + 1 - from.y;
    place = from.y * c.horizontal.count + from.x;
    count = last.y * c.horizontal.count + last.x + last.count - place;
  }
};

// What a band reads: where each tap finds the first channel's number for place 0 of the band's first row.
struct Planes {
  const float* data = nullptr;
  std::ptrdiff_t channel = 0;  // floats from one to the next
  int width = 0;               // of a row
  int first_place = 0;         // of a row
  std::ptrdiff_t taps[kMostTaps * kMostTaps] = {};
};

// The map itself.
Planes planes_of_map(const Loaded& input, const Correlation& c, int image, const Band& band) {
  Planes planes;
  planes.width = c.horizontal.source;
  planes.channel = static_cast<std::ptrdiff_t>(c.vertical.source) * planes.width;
  planes.data = input.map.block(image) + static_cast<std::ptrdiff_t>(band.first_row) * planes.width;
  return planes;
}

// A copy of what a 1x1 kernel reads.
Planes copied_places(float* to, const Loaded& input, const Correlation& c, int image, const Band& band) {
  const std::ptrdiff_t plane = c.horizontal.source, pitch = places_channel(band.count);
  const Planes planes{.data = to, .channel = pitch, .first_place = band.place};
  const float* from = input.map.block(image) + band.place;
  for (int channel = 0; channel < c.in_channels; ++channel, from += plane, to += pitch) {
    with_channel_map(input, channel, c.in_channels, [&](const auto& map) { copy_mapped(to, from, band.count, map); });
  }
  return planes;
}

// Copies with the padding.
Planes copied_planes(float* to, const Loaded& input, const Correlation& c, int image, const Band& band) {
  const Layout layout(c, band.rows);
  Planes planes{.data = to, .channel = layout.channel(), .width = layout.width()};
  for (int tap = 0; tap < c.taps(); ++tap) planes.taps[tap] = layout.offset_of(tap / c.horizontal.taps, tap % c.horizontal.taps);
  const float* plane = input.map.block(image);
  for (int channel = 0; channel < c.in_channels; ++channel, to += layout.channel()) {
    with_channel_map(input, channel, c.in_channels, [&](const auto& map) { copy_planes(to, plane, c, layout, band.first_row, map); });
    plane += static_cast<std::ptrdiff_t>(c.vertical.source) * c.horizontal.source;
  }
  return planes;
}

// A band of an image by `kOwn` panels of weights from `panel` on.
template <int kOwn>
void multiply_band(const Finish& finish, const Planes& planes, const float* weights, const Correlation& c, const Cut& cut, int panel, const Band& band,
                   float* sums) {
  Ahead addends = finish.addends(panel * kPanelChannels, kOwn * kPanelChannels, band.place, band.count);
  const std::ptrdiff_t panel_floats = static_cast<std::ptrdiff_t>(c.depth()) * kPanelChannels;
  const int channels = std::max(kDepth / c.taps(), 1), tiles = band.end - band.begin;
  const int addend_lines = panel_count(addends.lines(), panel_count(c.in_channels, channels) * tiles);
  const int ask_step = panel_count(kPanelChannels, tiles);  // each tile asks for its part of as many steps
  for (int channel = 0; channel < c.in_channels; channel += channels) {
    Steps steps;
    steps.input = planes.data + channel * planes.channel;
    steps.channel = planes.channel;
    steps.channels = std::min(channels, c.in_channels - channel);
    steps.taps = planes.taps;
    steps.tap_count = c.taps();
    steps.first = channel == 0;
    steps.asks = c.out_channels * c.depth() > kNear;
    const std::ptrdiff_t depth = steps.channels * c.taps();
    const bool more = channel + channels < c.in_channels;
    steps.next_input = more ? steps.channels * steps.channel : 0;
    for (int own = 0; own < kOwn; ++own) {
      const float* begin_of_panel = weights + (panel + own) * panel_floats;
      steps.weights[own] = begin_of_panel + static_cast<std::ptrdiff_t>(channel) * c.taps() * kPanelChannels;
      // Behind a panel's end lies the next one, which this thread's next task is likely to begin with.
      steps.next[own] = depth * kPanelChannels + (more ? 0 : (kOwn - 1) * panel_floats);
    }
    float* to = sums;
    for (int index = band.begin, together = 1; index < band.end; index += together) {
      const Tile tile(c, cut, index);
      const auto place_of = [&](const Tile& own) { return static_cast<std::ptrdiff_t>(own.y - band.first_row) * planes.width + own.x - planes.first_place; };
      const std::ptrdiff_t ask = (index - band.begin) * ask_step * depth;
      addends.ask(addend_lines);
      together = 1;
      if constexpr (kTilesAtOnce == 2) {
        if (index + 1 < band.end) {
          if (const Tile next(c, cut, index + 1); next.count == tile.count) {
            const std::ptrdiff_t at[] = {place_of(tile), place_of(next)};
            multiply_tiles<kOwn, 2>(tile.count, to, steps, at, ask, 2 * ask_step);
            together = 2;
          }
        }
      }
      if (together == 1) {
        const std::ptrdiff_t at[] = {place_of(tile)};
        multiply_tiles<kOwn, 1>(tile.count, to, steps, at, ask, ask_step);
      }
      to += together * tile.count * kOwn * kPanelChannels;
    }
  }
  for (int own = 0; own < kOwn; ++own) {
    finish(sums + own * kPanelChannels, kOwn * kPanelChannels, (panel + own) * kPanelChannels, band.place, band.count);
  }
}

}  // namespace

void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  pack_weights(weight.data(), g, prepared.data());
}

void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g, int batch,
          const Scratch& scratch) {
  const float* weights = weight.prepared ? weight.data : pack_weights(weight.data, g, scratch.shared);
  const Correlation c = forward_correlation(g);
  const Cut cut(c, batch);
  const bool copies = !reads_map(input, c);
  float* sums = scratch.thread(team_rank());
  Planes planes;
  int band_of_planes = -1;
  for_each_tile(batch * cut.bands * cut.groups, [&](int task) {
    const int image = task / cut.groups / cut.bands, panel = task % cut.groups * kPanels;
    const Band band(c, cut, task / cut.groups % cut.bands);
    if (band.begin == band.end) return;
    if (band_of_planes != task / cut.groups) {
      planes = !copies         ? planes_of_map(input, c, image, band)
               : g.pointwise() ? copied_places(sums + kBandSums, input, c, image, band)
                               : copied_planes(sums + kBandSums, input, c, image, band);
      band_of_planes = task / cut.groups;
    }
    const Finish finish(output, epilogue, c, image);
    if (cut.panels - panel >= kPanels) {
      multiply_band<kPanels>(finish, planes, weights, c, cut, panel, band, sums);
    } else {
      multiply_band<1>(finish, planes, weights, c, cut, panel, band, sums);
    }
  });
}

}  // namespace cnn::direct
