// A task multiplies one or two panels of weights with a band of an image's places, some of the depth at a time, so that the weights stay in
// the first cache while all tiles of the band are multiplied with them, and those that come next are asked for.
#include "cnn/ops/conv/direct.hpp"

#include "cnn/core/ahead.hpp"
#include "cnn/core/team.hpp"
#include "cnn/ops/conv/direct_planes.hpp"
#include "cnn/ops/conv/direct_tiles.hpp"

namespace cnn::direct {

namespace {

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
struct Band : BandPlaces {
  int begin, end;  // its tiles

  Band(const Correlation& c, const Cut& cut, int index) : begin(cut.tile_begin(index)), end(cut.tile_begin(index + 1)) {
    const Tile from(c, cut, begin), last(c, cut, end - 1);
    first_row = from.y;
    rows = last.y + 1 - from.y;
    place = from.y * c.horizontal.count + from.x;
    count = last.y * c.horizontal.count + last.x + last.count - place;
  }
};

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
