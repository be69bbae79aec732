// Backward-params: d_weight[out][channel, tap] is the product of the output's gradient, [out][places], with the input's planes, [places][channels],
// some places further on for each tap. Places that hang over the edge of a row have gradient 0.
#include "cnn/core/team.hpp"
#include "cnn/ops/conv/bf16x2_planes.hpp"
#include "cnn/ops/conv/merge_slots.hpp"
#include "cnn/ops/tiles.hpp"

#if defined(CNN_BF16_TILES)

namespace cnn::bf16x2 {

namespace {

constexpr std::ptrdiff_t kTileFloats = kTile * kTileDepth / 2;

// What a task sums up at a time: steps of some images, or of a band of one.
struct Block {
  int first_image = 0, images = 1;
  int begin = 0, steps = 0;  // of each image

  Block(const GradientCut& cut, int batch, int index) {
    const int bands = cut.bands();
    const int images_of_block = cut.images(batch);
    first_image = index / bands * images_of_block;
    images = std::min(images_of_block, batch - first_image);
    begin = cut.image_steps * (index % bands) / bands;
    steps = cut.image_steps * (index % bands + 1) / bands - begin;
  }
  static int count(const GradientCut& cut, int batch) { return panel_count(batch, cut.images(batch)) * cut.bands(); }
};

// The work of one task.
class Task {
 public:
  Task(const ConvGeometry& g, const GradientCut& cut, ConstBlocked d_output, const Loaded& input, int batch, int out_chunk, int channel_chunk, float* scratch)
      : c_(forward_correlation(g)),
        cut_(cut),
        layout_(cut.layout),
        d_output_(d_output),
        source_{input, g.in_channels},
        batch_(batch),
        out_begin_(out_chunk * cut.out_chunk),
        out_tiles_(std::min(cut.out_chunk, panel_count(g.out_channels, kTile) * kTile - out_begin_) / kTile),
        channel_begin_(channel_chunk * cut.channel_chunk),
        channel_tiles_(std::min(cut.channel_chunk, panel_count(layout_.channels, kTile) * kTile - channel_begin_) / kTile),
        planes_(scratch),
        outputs_(planes_ + cut.planes_floats(batch)),
        sums_(outputs_ + cut.outputs_floats(batch)),
        copy_floats_(static_cast<std::ptrdiff_t>(cut.images(batch)) * cut.places() / 2 * kTile) {}

  /// d_weight's rows and channels of this task, over blocks [begin, end).
  void run(float* d_weight, int begin, int end) const {
    if (begin == end) std::fill_n(sums_, cut_.sums_floats(), 0.0f);
    for (int index = begin; index < end; ++index) {
      const Block block(cut_, batch_, index);
      split_outputs(block);
      split_planes(block);
      add_products(block, index == begin);
    }
    write(d_weight);
  }

 private:
  // [tile of outputs][image][step]{large parts, small parts}[output][32 places].
  void split_outputs(const Block& block) const {
    const std::ptrdiff_t of_tile = static_cast<std::ptrdiff_t>(block.images) * block.steps * 2 * kTileFloats;
    const Correlation gradient = gradient_places();
    const Layout places(gradient, false, false);
    const CorrelationSource source{d_output_, c_.out_channels};
    for (int tile = 0; tile < out_tiles_; ++tile) {
      float* to = outputs_ + tile * of_tile;
      for (int image = 0; image < block.images; ++image) {
        const PlaneChannels<kTile> outputs({&source, 1}, gradient, places, out_begin_ + tile * kTile, 0, block.first_image + image, layout_.width());
        for (int step = 0; step < block.steps; ++step, to += 2 * kTileFloats) {
          split(outputs, (block.begin + step) * kTileDepth, [&](int i, __m512i large, __m512i small) __attribute__((always_inline)) {
            _mm512_storeu_si512(to + i * kTile, large);
            _mm512_storeu_si512(to + kTileFloats + i * kTile, small);
          });
        }
      }
    }
  }
  // The output's gradient as the source of a correlation that reads each of its places.
  Correlation gradient_places() const {
    Correlation places = c_;
    places.in_channels = c_.out_channels;
    for (CorrelationAxis* axis : {&places.vertical, &places.horizontal}) *axis = {.count = axis->count, .source = axis->count};
    return places;
  }
  // Calls visit(channel, large parts, small parts) with 32 places from `place` on of each of sixteen channels.
  template <class Visit>
  [[gnu::always_inline]] static void split(const PlaneChannels<kTile>& channels, int place, Visit&& visit) {
    __m512i large[kTile], small[kTile];
    channels.load(place, [&](int i, __m512 value) __attribute__((always_inline)) {
      const SplitFloats first(value);
      large[i] = first.large, small[i] = first.small;
    });
    channels.load(place + kTile, [&](int i, __m512 value) __attribute__((always_inline)) {
      const SplitFloats second(value);
      visit(i, in_order(large[i], second.large), in_order(small[i], second.small));
    });
  }

  // [set][tile of channels][copy]{large parts, small parts}[image][pair of places][channel].
  void split_planes(const Block& block) const {
    float* to = planes_;
    const int places = cut_.places();
    const int used = block.steps * kTileDepth + layout_.reach() + 1;
    for (int set = 0; set < layout_.sets; ++set) {
      for (int tile = 0; tile < channel_tiles_; ++tile) {
        for (int copy = 0; copy < cut_.copies; ++copy, to += 2 * copy_floats_) {
          for (int image = 0; image < block.images; ++image) {
            const PlaneChannels<kTile> channels({&source_, 1}, c_, layout_, channel_begin_ + tile * kTile, set, block.first_image + image, layout_.width());
            float* image_to = to + static_cast<std::ptrdiff_t>(image) * places / 2 * kTile;
            for (int place = 0; place < used; place += kTileDepth) {
              __m512i large[kTile], small[kTile];
              split(channels, block.begin * kTileDepth + place + copy, [&](int i, __m512i own_large, __m512i own_small) __attribute__((always_inline)) {
                large[i] = own_large, small[i] = own_small;
              });
              const int pairs = std::min(kTile, (places - place) / 2);
              float* pair_to = image_to + place / 2 * kTile;
              transpose(large);
              for (int i = 0; i < pairs; ++i) _mm512_storeu_si512(pair_to + i * kTile, large[i]);
              transpose(small);
              for (int i = 0; i < pairs; ++i) _mm512_storeu_si512(pair_to + copy_floats_ + i * kTile, small[i]);
            }
          }
        }
      }
    }
  }

  // Sums [tile of outputs][tap][tile of channels][output][channel] of a block's products, or in addition to what there is.
  void add_products(const Block& block, bool first) const {
    const TileRegisters registers;
    for (int tile = 0; tile < channel_tiles_; tile += 2) {
      for (int tap = 0; tap < layout_.taps; ++tap) {
        for (int out = 0; out < out_tiles_; ++out) {
          float* sums = sums_ + ((static_cast<std::ptrdiff_t>(out) * layout_.taps + tap) * channel_tiles_ + tile) * kTile * kTile;
          (tile + 1 < channel_tiles_ ? &Task::multiply<2> : &Task::multiply<1>)(*this, sums, block, out, tap, tile, first);
        }
      }
    }
  }

  template <int kTiles>
  [[gnu::noinline]] static void multiply(const Task& task, float* sums, const Block& block, int out, int tap, int tile, bool first) {
    const Layout& layout = task.layout_;
    const int y = tap / layout.horizontal.taps, x = tap % layout.horizontal.taps;
    const int across = layout.spread_horizontal ? 1 : layout.horizontal.planes;
    const int set = (layout.spread_vertical ? 0 : layout.vertical.plane[y]) * across + (layout.spread_horizontal ? 0 : layout.horizontal.plane[x]);
    const int offset = layout.vertical.offset[y] * layout.width() + layout.horizontal.offset[x];
    const std::ptrdiff_t of_tile = task.cut_.copies * 2 * task.copy_floats_;
    const float* outputs = task.outputs_ + static_cast<std::ptrdiff_t>(out) * block.images * block.steps * 2 * kTileFloats;
    const float* channels = task.planes_ + (static_cast<std::ptrdiff_t>(set) * task.channel_tiles_ + tile) * of_tile +
                            offset % 2 * 2 * task.copy_floats_ + offset / 2 * kTile;
    const std::ptrdiff_t small = task.copy_floats_;
    if (first) {
      clear_tile<0>();
      if constexpr (kTiles > 1) clear_tile<1>();
    } else {
      load_tile<0>(sums, 64);
      if constexpr (kTiles > 1) load_tile<1>(sums + kTile * kTile, 64);
    }
    for (int image = 0; image < block.images; ++image, channels += static_cast<std::ptrdiff_t>(task.cut_.places()) / 2 * kTile) {
      const float* places = channels;
      for (int step = 0; step < block.steps; ++step, outputs += 2 * kTileFloats, places += kTileFloats) {
        load_tile<2>(outputs + kTileFloats, 64);
        load_tile<3>(places, 64);
        multiply_tiles<0, 2, 3>();  // small by large
        if constexpr (kTiles > 1) {
          load_tile<4>(places + of_tile, 64);
          multiply_tiles<1, 2, 4>();
        }
        load_tile<2>(outputs, 64);
        multiply_tiles<0, 2, 3>();  // large by large
        if constexpr (kTiles > 1) multiply_tiles<1, 2, 4>();
        load_tile<3>(places + small, 64);
        multiply_tiles<0, 2, 3>();  // large by small
        if constexpr (kTiles > 1) {
          load_tile<4>(places + of_tile + small, 64);
          multiply_tiles<1, 2, 4>();
        }
      }
    }
    store_tile<0>(sums, 64);
    if constexpr (kTiles > 1) store_tile<1>(sums + kTile * kTile, 64);
  }

  void write(float* d_weight) const {
    const int taps = c_.taps();
    for (int tap = 0; tap < layout_.taps; ++tap) {
      for (int tile = 0; tile < channel_tiles_; ++tile) {
        const WeightOffsets offsets(c_, layout_, channel_begin_ + tile * kTile, tap, [&](int channel, int own_tap) { return channel * taps + own_tap; });
        const __m512i places = offsets.places();
        for (int out = 0; out < out_tiles_ * kTile && out_begin_ + out < c_.out_channels; ++out) {
          const float* from = sums_ + ((static_cast<std::ptrdiff_t>(out / kTile) * layout_.taps + tap) * channel_tiles_ + tile) * kTile * kTile + out % kTile * kTile;
          float* row = d_weight + static_cast<std::ptrdiff_t>(out_begin_ + out) * c_.depth();
          _mm512_mask_i32scatter_ps(row, offsets.inside, places, _mm512_loadu_ps(from), sizeof(float));
        }
      }
    }
  }

  Correlation c_;
  const GradientCut& cut_;
  const Layout& layout_;
  ConstBlocked d_output_;
  CorrelationSource source_;
  int batch_;
  int out_begin_, out_tiles_, channel_begin_, channel_tiles_;
  float *planes_, *outputs_, *sums_;
  std::ptrdiff_t copy_floats_;
};

}  // namespace

void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch, const Scratch& scratch) {
  const GradientCut cut(g);
  const std::ptrdiff_t weights = static_cast<std::ptrdiff_t>(g.out_channels) * g.depth();
  for_each_tile(cut.slots * cut.out_chunks * cut.channel_chunks, [&](int index) {
    const int channel_chunk = index % cut.channel_chunks;
    const int out_chunk = index / cut.channel_chunks % cut.out_chunks;
    const int slot = index / cut.channel_chunks / cut.out_chunks;
    const int blocks = Block::count(cut, batch);
    const Task task(g, cut, d_output, input, batch, out_chunk, channel_chunk, scratch.thread(team_rank()));
    task.run(slot == 0 ? d_weight.data() : scratch.shared + (slot - 1) * weights, blocks * slot / cut.slots, blocks * (slot + 1) / cut.slots);
  });
  merge_slots(d_weight, cut.slots, scratch.shared);
}

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  bf16x2::conv_backward_params(d_weight, d_output, input, g, batch, scratch);
  sum_channels(d_bias, d_output, {g.out_channels, g.out_height, g.out_width, g.block}, batch);
}

}  // namespace cnn::bf16x2

#endif
