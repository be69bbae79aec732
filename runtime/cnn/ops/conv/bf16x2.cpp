// Forward and backward-input: a task splits the planes of its columns and multiplies them with all weights.
#include "cnn/ops/conv/bf16x2.hpp"

#include "cnn/core/team.hpp"
#include "cnn/ops/conv/bf16x2_finish.hpp"
#include "cnn/ops/conv/bf16x2_planes.hpp"
#include "cnn/ops/conv/bf16x2_weights.hpp"
#include "cnn/ops/conv/pack_weights.hpp"

#if defined(CNN_BF16_TILES)

namespace cnn::bf16x2 {

namespace {

// ---------- planes ----------

// The planes of a task: its images' places from `begin` on.
struct Places {
  int first_image = 0, images = 1;
  int begin = 0, count = 0;  // of a plane's places
  std::ptrdiff_t pitch;      // floats from one plane to the next

  Places(int first_image, int images, int begin, int count)
      : first_image(first_image), images(images), begin(begin), count(count), pitch(pitch_of(static_cast<std::ptrdiff_t>(images) * count)) {}
};

// Sixteen pairs of channels at sixteen places.
struct SplitPairs {
  __m512i large[kTile], small[kTile];

  SplitPairs(const PlaneChannels<kTileDepth>& channels, int place) {
    __m512i low_large, low_small;
    channels.load(place, [&](int i, __m512 value) __attribute__((always_inline)) {
      const SplitFloats split(value);
      if (i % 2 == 0) {
        low_large = split.large, low_small = split.small;
      } else {
        large[i / 2] = paired(low_large, split.large);
        small[i / 2] = paired(low_small, split.small);
      }
    });
  }
};

// Splits blocks [begin, end) of 32 channels, counted through all sets: [block][large parts, small parts][image][place][32 channels]; side by side
// [image][tile of places][block][large parts, small parts][pair of channels][place].
void split_planes(float* planes, std::span<const CorrelationSource> sources, const Correlation& c, const Layout& layout, const Places& places,
                  int begin, int end) {
  const std::ptrdiff_t pitch = places.pitch * kTile;
  for (int block = begin; block < end; ++block) {
    for (int image = 0; image < places.images; ++image) {
      const PlaneChannels<kTileDepth> channels(sources, c, layout, block % layout.blocks * kTileDepth, block / layout.blocks,
                                               places.first_image + image, layout.width());
      for (int place = 0; place < places.count; place += kTile) {
        SplitPairs pairs(channels, places.begin + place);
        const std::ptrdiff_t column = image * places.count + place;
        if (layout.side_by_side()) {
          float* to = planes + (column / kTile * layout.blocks + block) * 2 * kTileFloats;
          store_rows(to, pairs.large);
          store_rows(to + kTileFloats, pairs.small);
        } else {
          float* to = planes + 2 * block * pitch + column * kTile;
          const int count = std::min(kTile, places.count - place);
          transpose(pairs.large);
          store_rows(to, pairs.large, count);
          transpose(pairs.small);
          store_rows(to + pitch, pairs.small, count);
        }
      }
    }
  }
}

// ---------- products ----------

// Where the factors of sums lie.
struct Factors {
  const float* weights;    // of a tile of rows
  const float* places[2];  // of each tile of columns: the first set's first block, at the place that a tap with no offset reads
  std::ptrdiff_t pitch;    // floats from large parts to small parts
};

// Adds places by weights to sums [column][row], or side by side weights by places to sums [row][column].
template <bool kSideBySide, int kSums, int kWeights, int kPlaces>
[[gnu::always_inline]] inline void multiply_one() {
  if constexpr (kSideBySide) {
    multiply_tiles<kSums, kWeights, kPlaces>();
  } else {
    multiply_tiles<kSums, kPlaces, kWeights>();
  }
}

// sums [column tile][16][16] of a tile of rows by kColumns of columns. Five registers are in use, though there are eight: while another thread
// of the core has something to do, a core has but few to rename them to, and with all eight the same products take twice as long.
template <int kColumns, bool kSideBySide>
[[gnu::noinline]] void multiply(float* sums, const Factors& f, const Layout& layout) {
  clear_tile<0>();
  if constexpr (kColumns > 1) clear_tile<1>();
  const float* weights = f.weights;
  const std::ptrdiff_t of_block = 2 * f.pitch;
  for (int y = 0; y < layout.vertical.taps; ++y) {
    for (int x = 0; x < layout.horizontal.taps; ++x) {
      std::ptrdiff_t at = layout.set_of(y, x) * layout.blocks * of_block + layout.offset_of(y, x) * kTile;
      for (int block = 0; block < layout.blocks; ++block, at += of_block, weights += 2 * kTileFloats) {
        load_tile<2>(weights + kTileFloats, 64);
        load_tile<3>(f.places[0] + at, 64);
        multiply_one<kSideBySide, 0, 2, 3>();  // large by small
        if constexpr (kColumns > 1) {
          load_tile<4>(f.places[1] + at, 64);
          multiply_one<kSideBySide, 1, 2, 4>();
        }
        load_tile<2>(weights, 64);
        multiply_one<kSideBySide, 0, 2, 3>();  // large by large
        if constexpr (kColumns > 1) multiply_one<kSideBySide, 1, 2, 4>();
        load_tile<3>(f.places[0] + at + f.pitch, 64);
        multiply_one<kSideBySide, 0, 2, 3>();  // small by large
        if constexpr (kColumns > 1) {
          load_tile<4>(f.places[1] + at + f.pitch, 64);
          multiply_one<kSideBySide, 1, 2, 4>();
        }
      }
    }
  }
  store_tile<0>(sums, 64);
  if constexpr (kColumns > 1) store_tile<1>(sums + kTile * kTile, 64);
}

// ---------- tasks ----------

// A tile of columns of a task.
struct ColumnTile {
  int image, column;
};

// Weights that are not split yet, or null, and where a tile of rows of them goes.
struct OwnWeights {
  const WeightPlaces* places = nullptr;
  float* scratch = nullptr;
};

void multiply_columns(std::span<const CorrelationTarget> targets, const float* planes, const Places& places, const Correlation& c,
                      const Layout& layout, const Cut& cut, int tile_begin, int tiles, int part, const OwnWeights& own) {
  const TileRegisters registers;
  const bool side_by_side = layout.side_by_side();
  const std::ptrdiff_t of_column = side_by_side ? layout.blocks * kTileDepth : kTile;  // floats from one place to the next
  const std::ptrdiff_t of_rows = layout.steps() * 2 * kTileFloats;
  int row_tiles = 0;
  for (const CorrelationTarget& target : targets) row_tiles += panel_count(target.channels, kTile);
  const int begin = row_tiles * part / cut.row_parts, end = row_tiles * (part + 1) / cut.row_parts;
  const auto column_of = [&](int index) { return ColumnTile{index / tiles, (tile_begin + index % tiles) * kTile}; };
  int row_tile = 0;
  for (const CorrelationTarget& target : targets) {
    const Finish finish(target, c);
    for (int row = 0; row < target.channels; row += kTile, ++row_tile) {
      if (row_tile < begin || row_tile >= end) continue;
      if (own.places != nullptr) split_weights(own.scratch, row, std::min(kTile, target.channels - row), *own.places, c, layout);
      const float* weights = own.places != nullptr ? own.scratch : target.left + row / kTile * of_rows;
      for (int index = 0; index < places.images * tiles; index += 2) {
        const bool two = index + 1 < places.images * tiles;
        Factors factors{.weights = weights, .places = {}, .pitch = side_by_side ? kTileFloats : places.pitch * kTile};
        ColumnTile columns[2];
        for (int i = 0; i < 1 + two; ++i) {
          columns[i] = column_of(index + i);
          factors.places[i] = planes + (columns[i].image * places.count + columns[i].column - places.begin) * of_column;
        }
        alignas(64) float sums[2 * kTile * kTile];
        const auto run = side_by_side ? (two ? multiply<2, true> : multiply<1, true>) : (two ? multiply<2, false> : multiply<1, false>);
        run(sums, factors, layout);
        for (int i = 0; i < 1 + two; ++i) {
          Piece pieces[kTile];
          const int count = pieces_of(pieces, c, layout.width(), columns[i].column);
          finish(sums + i * kTile * kTile, side_by_side, row, places.first_image + columns[i].image, std::span(pieces).first(static_cast<std::size_t>(count)));
        }
      }
    }
  }
}

// As cnn::conv's tasks, with weights as tiles, or `unsplit` ones where each task splits its own; `shared` has room for the planes of all images,
// where they are shared. Collective.
void correlate(std::span<const CorrelationTarget> targets, std::span<const CorrelationSource> sources, const Correlation& c, int batch,
               float* shared, const Scratch& scratch, const WeightPlaces* unsplit = nullptr) {
  const Layout layout = layout_of(c);
  const Cut cut(c, layout, batch);
  const int all_blocks = layout.sets * layout.blocks;
  const Places whole(0, batch, 0, cut.image_tiles * kTile + layout.reach());
  if (cut.shared) {
    for_each_tile(all_blocks, [&](int block) { split_planes(shared, sources, c, layout, whole, block, block + 1); });
  }
  for_each_tile(cut.tasks(), [&](int task) {
    const int part = task % cut.row_parts;
    const int band = task / cut.row_parts % cut.bands;
    const int group = task / cut.row_parts / cut.bands;
    const int begin = cut.image_tiles * band / cut.bands, end = cut.image_tiles * (band + 1) / cut.bands;
    if (begin == end) return;
    if (cut.shared) {
      // All images' planes lie there; those of the group are some places further on.
      Places places = whole;
      places.first_image = group * cut.images;
      places.images = std::min(cut.images, batch - places.first_image);
      const float* planes = shared + static_cast<std::ptrdiff_t>(places.first_image) * whole.count * (layout.side_by_side() ? layout.blocks * kTileDepth : kTile);
      const OwnWeights own{unsplit, scratch.thread(team_rank())};
      return multiply_columns(targets, planes, places, c, layout, cut, begin, end - begin, part, own);
    }
    const Places places(group * cut.images, std::min(cut.images, batch - group * cut.images), begin * kTile,
                        (end - begin) * kTile + layout.reach());
    float* planes = scratch.thread(team_rank());
    split_planes(planes, sources, c, layout, places, 0, all_blocks);
    multiply_columns(targets, planes, places, c, layout, cut, begin, end - begin, part, {});
  });
}

WeightPlaces forward_places(const ConvGeometry& g, const WeightPlaces::Array& weight) {
  WeightPlaces places{.row = g.depth(), .channel = g.taps(), .arrays = {&weight, 1}};
  for (int tap = 0; tap < g.taps(); ++tap) places.tap[tap] = tap;
  return places;
}

// Of a phase's turned weights: rows are input channels, channels are output channels.
WeightPlaces backward_places(const ConvGeometry& g, int phase, const WeightPlaces::Array& weight) {
  WeightPlaces places{.row = g.taps(), .channel = g.depth(), .arrays = {&weight, 1}};
  const PhaseTaps taps(g, phase);
  for (int tap = 0; tap < taps.count(); ++tap) places.tap[tap] = taps.tap(tap, g);
  return places;
}

// With weights as they are stored. Collective.
void multiply_unsplit(CorrelationTarget target, const CorrelationSource& source, const WeightPlaces& places, const Correlation& c, int batch,
                      const Scratch& scratch) {
  const Layout layout = layout_of(c);
  const bool own_weights = Cut(c, layout, batch).own_weights();
  if (!own_weights) split_all_weights(scratch.shared, places, c, layout);
  target.left = scratch.shared;
  correlate({&target, 1}, {&source, 1}, c, batch, scratch.shared + weights_floats(c, layout), scratch, own_weights ? &places : nullptr);
}

}  // namespace

void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  const Correlation c = forward_correlation(g);
  const WeightPlaces::Array array{weight.data(), c.in_channels};
  split_all_weights(prepared.data(), forward_places(g, array), c, layout_of(c));
}

void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g, int batch,
          const Scratch& scratch) {
  const Correlation c = forward_correlation(g);
  const CorrelationSource source{input, c.in_channels};
  if (weight.prepared) {
    const CorrelationTarget target{output, weight.data, epilogue, c.out_channels};
    return correlate({&target, 1}, {&source, 1}, c, batch, scratch.shared, scratch);
  }
  const WeightPlaces::Array array{weight.data, c.in_channels};
  multiply_unsplit({output, nullptr, epilogue, c.out_channels}, source, forward_places(g, array), c, batch, scratch);
}

void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g, int batch,
                         const Scratch& scratch) {
  for (int phase = 0; phase < conv_phases(g); ++phase) {
    const Correlation c = backward_correlation(g, phase);
    if (c.outputs() == 0) continue;
    const WeightPlaces::Array array{weight.data(), c.in_channels};
    multiply_unsplit({d_input.map, nullptr, d_input.epilogue(), c.out_channels}, {d_output, c.in_channels}, backward_places(g, phase, array), c, batch,
                     scratch);
  }
}

void conv_siblings(std::initializer_list<ConvSibling> siblings, const Loaded& input, const SiblingsGeometry& g, int batch, const Scratch& scratch) {
  const Correlation c = siblings_correlation(g);
  CorrelationTarget targets[kMostSiblings];
  std::size_t count = 0;
  float* weights = scratch.shared;
  for (const ConvSibling& sibling : siblings) {
    const ConvGeometry own = g.sibling(static_cast<int>(count));
    targets[count++] = {sibling.output, sibling.weight.prepared ? sibling.weight.data : weights, sibling.epilogue, own.out_channels};
    if (sibling.weight.prepared) continue;
    const std::size_t floats = bf16x2::conv_prepared_floats(own);
    bf16x2::conv_prepare({weights, floats}, {sibling.weight.data, static_cast<std::size_t>(own.out_channels) * static_cast<std::size_t>(own.depth())}, own);
    weights += floats;
  }
  const CorrelationSource source{input, c.in_channels};
  correlate({targets, count}, {&source, 1}, c, batch, weights, scratch);
}

void conv_siblings_backward_input(const Result& d_input, std::initializer_list<SiblingGradient> siblings, const SiblingsGeometry& g,
                                  int batch, const Scratch& scratch) {
  const Correlation c = siblings_backward_correlation(g);
  const Layout layout = layout_of(c);
  WeightPlaces::Array arrays[kMostSiblings];
  CorrelationSource sources[kMostSiblings];
  std::size_t count = 0;
  for (const SiblingGradient& sibling : siblings) {
    arrays[count] = {sibling.weight.data(), g.out_channels[count]};
    sources[count] = {sibling.d_output, g.out_channels[count]};
    ++count;
  }
  split_all_weights(scratch.shared, {.row = 1, .channel = g.in_channels, .arrays = {arrays, count}}, c, layout);
  const CorrelationTarget target{d_input.map, scratch.shared, d_input.epilogue(), c.out_channels};
  correlate({&target, 1}, {sources, count}, c, batch, scratch.shared + weights_floats(c, layout), scratch);
}

}  // namespace cnn::bf16x2

#endif
