// Backward-params: d_weight[channel, tap][out] is the product of the input's planes, [channels][places], some places further on for each tap,
// with the output's gradient, [places][out]. Places that hang over the edge of a row have gradient 0.
#include "cnn/core/team.hpp"
#include "cnn/ops/conv/bf16x2_planes.hpp"
#include "cnn/ops/conv/bf16x2_weights.hpp"
#include "cnn/ops/conv/merge_slots.hpp"
#include "cnn/ops/tiles.hpp"

#if defined(CNN_BF16_TILES)

namespace cnn::bf16x2 {

namespace {

constexpr std::ptrdiff_t kBf16Bytes = 2;

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
        image_floats_(static_cast<std::ptrdiff_t>(cut.places()) / 2 * kTile),
        part_floats_(cut.images(batch) * image_floats_) {}

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
  // [tile of outputs][image][step]{large parts, small parts}[pair of places][output].
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
          __m512i large[kTile], small[kTile];
          split(outputs, (block.begin + step) * kTileDepth, [&](int i, __m512i own_large, __m512i own_small) __attribute__((always_inline)) {
            large[i] = own_large, small[i] = own_small;
          });
          transpose(large);
          store_rows(to, large);
          transpose(small);
          store_rows(to + kTileFloats, small);
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

  // [set][tile of channels]{large parts, small parts}[image][channel][place].
  void split_planes(const Block& block) const {
    float* to = planes_;
    const int used = block.steps * kTileDepth + layout_.reach();
    const std::ptrdiff_t row = cut_.places() / 2;
    for (int set = 0; set < layout_.sets; ++set) {
      for (int tile = 0; tile < channel_tiles_; ++tile, to += 2 * part_floats_) {
        for (int image = 0; image < block.images; ++image) {
          const PlaneChannels<kTile> channels({&source_, 1}, c_, layout_, channel_begin_ + tile * kTile, set, block.first_image + image, layout_.width());
          float* image_to = to + image * image_floats_;
          for (int place = 0; place < used; place += kTileDepth) {
            split(channels, block.begin * kTileDepth + place, [&](int i, __m512i large, __m512i small) __attribute__((always_inline)) {
              _mm512_storeu_si512(image_to + i * row + place / 2, large);
              _mm512_storeu_si512(image_to + part_floats_ + i * row + place / 2, small);
            });
          }
        }
      }
    }
  }

  // Sums [tile of channels][tap][tile of outputs][channel][output] of a block's products, or in addition to what there is.
  void add_products(const Block& block, bool first) const {
    const TileRegisters registers;
    for (int tile = 0; tile < channel_tiles_; ++tile) {
      for (int out = 0; out < out_tiles_; out += 2) {
        for (int tap = 0; tap < layout_.taps; ++tap) {
          (out + 1 < out_tiles_ ? &Task::multiply<2> : &Task::multiply<1>)(*this, sums_of(tile, tap, out), block, out, tap, tile, first);
        }
      }
    }
  }
  float* sums_of(int tile, int tap, int out) const {
    return sums_ + ((static_cast<std::ptrdiff_t>(tile) * layout_.taps + tap) * out_tiles_ + out) * kTile * kTile;
  }

  // A tile of channels by kTiles of outputs; five registers, as forward.
  template <int kTiles>
  [[gnu::noinline]] static void multiply(const Task& task, float* sums, const Block& block, int out, int tap, int tile, bool first) {
    const Layout& layout = task.layout_;
    const int y = tap / layout.horizontal.taps, x = tap % layout.horizontal.taps;
    const std::ptrdiff_t of_tile = static_cast<std::ptrdiff_t>(block.images) * block.steps * 2 * kTileFloats;
    const float* outputs = task.outputs_ + out * of_tile;
    // Bf16 numbers begin anywhere.
    const char* channels = reinterpret_cast<const char*>(task.planes_ + (static_cast<std::ptrdiff_t>(layout.set_of(y, x)) * task.channel_tiles_ + tile) * 2 * task.part_floats_) +
                           layout.offset_of(y, x) * kBf16Bytes;
    const std::ptrdiff_t row_bytes = task.cut_.places() * kBf16Bytes;
    const std::ptrdiff_t small = task.part_floats_ * static_cast<std::ptrdiff_t>(sizeof(float));
    const std::ptrdiff_t of_image = task.image_floats_ * static_cast<std::ptrdiff_t>(sizeof(float));
    if (first) {
      clear_tile<0>();
      if constexpr (kTiles > 1) clear_tile<1>();
    } else {
      load_tile<0>(sums, 64);
      if constexpr (kTiles > 1) load_tile<1>(sums + kTile * kTile, 64);
    }
    for (int image = 0; image < block.images; ++image) {
      const char* places = channels + image * of_image;
      for (int step = 0; step < block.steps; ++step, outputs += 2 * kTileFloats, places += kTileDepth * kBf16Bytes) {
        load_tile<2>(places + small, row_bytes);
        load_tile<3>(outputs, 64);
        multiply_tiles<0, 2, 3>();  // small by large
        if constexpr (kTiles > 1) {
          load_tile<4>(outputs + of_tile, 64);
          multiply_tiles<1, 2, 4>();
        }
        load_tile<2>(places, row_bytes);
        multiply_tiles<0, 2, 3>();  // large by large
        if constexpr (kTiles > 1) multiply_tiles<1, 2, 4>();
        load_tile<3>(outputs + kTileFloats, 64);
        multiply_tiles<0, 2, 3>();  // large by small
        if constexpr (kTiles > 1) {
          load_tile<4>(outputs + of_tile + kTileFloats, 64);
          multiply_tiles<1, 2, 4>();
        }
      }
    }
    store_tile<0>(sums, 64);
    if constexpr (kTiles > 1) store_tile<1>(sums + kTile * kTile, 64);
  }

  void write(float* d_weight) const {
    const int taps = c_.taps();
    for (int tile = 0; tile < channel_tiles_; ++tile) {
      for (int tap = 0; tap < layout_.taps; ++tap) {
        const WeightOffsets offsets(c_, layout_, channel_begin_ + tile * kTile, tap, [&](int channel, int own_tap) { return channel * taps + own_tap; });
        const __m512i places = offsets.places();
        for (int out = 0; out < out_tiles_; ++out) {
          const float* from = sums_of(tile, tap, out);
          __m512i sums[kTile];
          for (int i = 0; i < kTile; ++i) sums[i] = _mm512_loadu_si512(from + i * kTile);
          transpose(sums);
          const int first = out_begin_ + out * kTile;
          float* row = d_weight + static_cast<std::ptrdiff_t>(first) * c_.depth();
          for (int i = 0; i < std::min(kTile, c_.out_channels - first); ++i, row += c_.depth()) {
            _mm512_mask_i32scatter_epi32(row, offsets.inside, places, sums[i], sizeof(float));
          }
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
  std::ptrdiff_t image_floats_;  // of sixteen channels' large or small parts
  std::ptrdiff_t part_floats_;   // of all images
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
