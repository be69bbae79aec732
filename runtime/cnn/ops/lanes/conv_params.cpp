// The gradient of a convolution's weights on lanes: sums over places and images, in the lanes of a register of which each is a sum over
// other images, until a block is done. A register tile has a few taps of a row of the kernel for a few output channels.
#include "cnn/ops/lanes/conv.hpp"
#include "cnn/ops/lanes/lanes.hpp"

namespace cnn::lanes {

namespace {

#if defined(__AVX512F__)

// A sum for each image of a block.
using Sums = Images;
constexpr int kSums = kImages;
Sums load_sums(const float* from) { return load_images(from); }
Sums load_sums_once(const float* from) { return loaded_once(load_images(from)); }
void store_sums(float* to, const Sums& sums) { store_images(to, sums); }
float sum_of(const Sums& sums, int images) { return sum_images(sums, images); }

// Output channels whose gradients are summed together: with their operands they fill 32 registers.
int channels_together(const ConvGeometry&) { return kGradientChannels; }

#else

// A sum for every other image of a block.
using Sums = Vector;
constexpr int kSums = kLanes;
Sums load_sums(const float* from) { return load(from); }
Sums load_sums_once(const float* from) { return load_once(from); }
void store_sums(float* to, const Sums& sums) { store(to, sums); }
float sum_of(const Sums& sums, int images) { return sum_lanes(sums, images); }

// As above, for 16 registers.
int channels_together(const ConvGeometry& g) { return g.kernel_width > 3 ? kGradientChannels / 2 : kGradientChannels; }

#endif

constexpr int kMostTaps = 5;
constexpr std::ptrdiff_t kCacheFloats = 6 << 10;  // of a strip: three quarters of a first-level cache

// A line of places: elements of the output's gradient `step` apart, and the input's that meet them.
struct Line {
  int count;
  std::ptrdiff_t step, source_step;
};

// What a register tile sums over: lines of the output's gradient, channels `channel` apart, and of the input.
struct Strip {
  const float* d_output;
  const float* input;
  int lines;
  std::ptrdiff_t channel, d_line, line, tap;
  Line places;
};

// sums [kChannels][taps of the kernel][kSums] += the strip's products for kTaps taps side by side.
template <int kChannels, int kTaps>
void add_strip(float* sums, int taps, const Strip& strip) {
  Sums held[kChannels][kTaps];
#pragma GCC unroll 4
  for (int i = 0; i < kChannels; ++i) {
#pragma GCC unroll 5
    for (int tap = 0; tap < kTaps; ++tap) held[i][tap] = load_sums(sums + (i * taps + tap) * kSums);
  }
  for (int y = 0; y < strip.lines; ++y) {
    const float* d_output = strip.d_output + y * strip.d_line;
    const float* input = strip.input + y * strip.line;
#pragma GCC unroll 4
    for (int x = 0; x < strip.places.count; ++x) {
      Sums gradients[kChannels];
#pragma GCC unroll 4
      for (int i = 0; i < kChannels; ++i) gradients[i] = load_sums_once(d_output + i * strip.channel);
#pragma GCC unroll 5
      for (int tap = 0; tap < kTaps; ++tap) {
        const Sums element = load_sums_once(input + tap * strip.tap);
#pragma GCC unroll 4
        for (int i = 0; i < kChannels; ++i) held[i][tap] += gradients[i] * element;
      }
      d_output += strip.places.step;
      input += strip.places.source_step;
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kChannels; ++i) {
#pragma GCC unroll 5
    for (int tap = 0; tap < kTaps; ++tap) store_sums(sums + (i * taps + tap) * kSums, held[i][tap]);
  }
}

template <int kChannels>
void add_strip_of(int count, float* sums, int taps, const Strip& strip) {
  switch (count) {
    case 1: return add_strip<kChannels, 1>(sums, taps, strip);
    case 2: return add_strip<kChannels, 2>(sums, taps, strip);
    case 3: return add_strip<kChannels, 3>(sums, taps, strip);
    case 4: return add_strip<kChannels, 4>(sums, taps, strip);
    default: return add_strip<kChannels, 5>(sums, taps, strip);
  }
}

void add_tile(int channels, int count, float* sums, int taps, const Strip& strip) {
  switch (channels) {
    case 1: return add_strip_of<1>(count, sums, taps, strip);
    case 2: return add_strip_of<2>(count, sums, taps, strip);
    case 3: return add_strip_of<3>(count, sums, taps, strip);
    default: return add_strip_of<4>(count, sums, taps, strip);
  }
}

// A plane of the input, or where the kernel hangs over its edges, a copy with the padding around it.
struct Plane {
  const float* data;
  int width;
};

Plane padded_plane(float* scratch, const float* input, const ConvGeometry& g) {
  if (!is_padded(g)) return {input, g.in_width};
  const int width = padded_width(g);
  const int left = std::min(g.pad_left, width), right = std::min(g.pad_left + g.in_width, width);
  for (int y = 0; y < padded_height(g); ++y) {
    float* to = scratch + static_cast<std::ptrdiff_t>(y) * width * kImages;
    const int from = y - g.pad_top;
    const bool inside = from >= 0 && from < g.in_height && left < right;
    const int begin = inside ? left : width, end = inside ? right : width;
    std::fill_n(to, begin * kImages, 0.0f);
    const float* line = input + static_cast<std::ptrdiff_t>(from) * g.in_width * kImages;
    if (inside) std::copy_n(line, (end - begin) * kImages, to + begin * kImages);
    std::fill_n(to + end * kImages, (width - end) * kImages, 0.0f);
  }
  return {scratch, width};
}

// Some output channels' gradients of a block, and the images that count.
struct Gradients {
  const float* d_output;
  int channels;
};

// sums [channels][taps][kSums] = over the places of a plane, line by line as `places` says.
void sum_plane(float* sums, const Gradients& gradients, const Plane& plane, const Line& places, const ConvGeometry& g) {
  std::fill_n(sums, gradients.channels * g.taps() * kSums, 0.0f);
  const std::ptrdiff_t d_line = static_cast<std::ptrdiff_t>(g.out_width) * kImages;
  const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(plane.width) * kImages;
  const std::ptrdiff_t loaded = gradients.channels * d_line + g.stride_height * line;
  const int lines = static_cast<int>(std::clamp<std::ptrdiff_t>(kCacheFloats / loaded, 1, g.out_height));
  const int chunks = (g.kernel_width + kMostTaps - 1) / kMostTaps;
  for (int y = 0; y < g.out_height; y += lines) {
    for (int tap_y = 0; tap_y < g.kernel_height; ++tap_y) {
      for (int chunk = 0; chunk < chunks; ++chunk) {
        const int tap_x = g.kernel_width * chunk / chunks;
        const int first = y * g.stride_height + tap_y * g.dilation_height;
        add_tile(gradients.channels, g.kernel_width * (chunk + 1) / chunks - tap_x,
                 sums + (tap_y * g.kernel_width + tap_x) * kSums, g.taps(),
                 {.d_output = gradients.d_output + y * d_line,
                  .input = plane.data + first * line + tap_x * g.dilation_width * kImages,
                  .lines = std::min(lines, g.out_height - y),
                  .channel = g.out_height * d_line,
                  .d_line = d_line,
                  .line = g.stride_height * line,
                  .tap = g.dilation_width * kImages,
                  .places = places});
      }
    }
  }
}

// The sum of a plane's elements, in four parts: each addition waits for the one before.
Images sum_places(const float* from, std::ptrdiff_t count) {
  constexpr int kParts = 4;
  Images sums[kParts] = {};
  for (; count >= kParts; count -= kParts, from += kParts * kImages) {
#pragma GCC unroll 4
    for (int i = 0; i < kParts; ++i) sums[i] += load_images(from + i * kImages);
  }
  for (; count > 0; --count, from += kImages) sums[0] += load_images(from);
  sums[0] += sums[1];
  sums[2] += sums[3];
  sums[0] += sums[2];
  return sums[0];
}

// One task's share: channels [first, first + count) over the blocks of one of `slots`.
struct Share {
  int slot, slots, first, count;
};

void add_share(float* d_weight, float* d_bias, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g, int batch,
               const Share& share, float* scratch) {
  const int blocks = block_count(batch, kImages);
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width * kImages;
  const std::ptrdiff_t in_plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * kImages;
  float* padded = scratch + kGradientChannels * g.taps() * kImages;
  std::fill_n(d_weight, share.count * g.depth(), 0.0f);
  std::fill_n(d_bias, share.count, 0.0f);
  for (int block = blocks * share.slot / share.slots; block < blocks * (share.slot + 1) / share.slots; ++block) {
    const int images = images_in_block(batch, kImages, block);
    const float* gradients = d_output.block(block) + share.first * plane;
    for (int channel = 0; channel < g.in_channels; ++channel) {
      const Plane source = padded_plane(padded, input.block(block) + channel * in_plane, g);
      const auto add = [&](int lane, const Line& places, int lanes) {
        sum_plane(scratch, {gradients + lane, share.count}, {source.data + lane, source.width}, places, g);
        for (int i = 0; i < share.count; ++i) {
          float* to = d_weight + static_cast<std::ptrdiff_t>(i) * g.depth() + channel * g.taps();
          for (int tap = 0; tap < g.taps(); ++tap) to[tap] += sum_of(load_sums(scratch + (i * g.taps() + tap) * kSums), lanes);
        }
      };
      if (kSums == kImages) {
        add(0, {g.out_width, kImages, static_cast<std::ptrdiff_t>(g.stride_width) * kImages}, images);
      // Lanes of a whole block can be added up in pairs; of a short one only some count.
      } else if (images == kImages && g.stride_width == 1) {
        add(0, {2 * g.out_width, kLanes, kLanes}, kLanes);
      } else {
        const Line every_other{g.out_width, kImages, static_cast<std::ptrdiff_t>(g.stride_width) * kImages};
        add(0, every_other, std::min(images, kLanes));
        if (images > kLanes) add(kLanes, every_other, images - kLanes);
      }
    }
    for (int i = 0; i < share.count; ++i) {
      const Images sum = sum_places(gradients + i * plane, plane / kImages);
      d_bias[i] += sum_images(sum, images);
    }
  }
}

// Some sums of the gradients, `partial` floats from one slot's to the next.
struct Slots {
  float* weights;
  float* biases;
  std::ptrdiff_t partial;
  int count;
};

void sum_slots(const Slots& slots, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g, int batch, const Scratch& scratch) {
  const int tiles = (g.out_channels + channels_together(g) - 1) / channels_together(g);
  for_each_tile(slots.count * tiles, [&](int task) {
    const int slot = task / tiles, tile = task % tiles;
    const int first = g.out_channels * tile / tiles, last = g.out_channels * (tile + 1) / tiles;  // as even as can be
    float* weights = slots.weights + slot * slots.partial + static_cast<std::ptrdiff_t>(first) * g.depth();
    float* biases = slots.biases + slot * slots.partial + first;
    add_share(weights, biases, d_output, input, g, batch, {slot, slots.count, first, last - first}, scratch.thread(team_rank()));
  });
}

// to = the sum of the slots' floats, in order.
void merge_slots(Floats to, const float* from, const Slots& slots) {
  constexpr std::ptrdiff_t kInTile = 2048;
  const auto count = static_cast<std::ptrdiff_t>(to.size());
  for_each_tile(static_cast<int>((count + kInTile - 1) / kInTile), [&](int tile) {
    const std::ptrdiff_t end = std::min((tile + 1) * kInTile, count);
    for (std::ptrdiff_t i = tile * kInTile; i < end; ++i) {
      float sum = 0;
      for (int slot = 0; slot < slots.count; ++slot) sum += from[slot * slots.partial + i];
      to[static_cast<std::size_t>(i)] = sum;
    }
  });
}

// Without d_bias its sums are made all the same, and dropped.
void sum_up(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g, int batch,
            const Scratch& scratch) {
  const std::ptrdiff_t weights = static_cast<std::ptrdiff_t>(g.out_channels) * g.depth();
  const int count = std::min(gradient_slots(g), block_count(batch, kImages));
  const Slots slots{scratch.shared, scratch.shared + weights, weights + g.out_channels, count};
  if (count == 1) {  // in place
    float* biases = d_bias.empty() ? slots.biases : d_bias.data();
    return sum_slots({d_weight.data(), biases, 0, 1}, d_output, input, g, batch, scratch);
  }
  sum_slots(slots, d_output, input, g, batch, scratch);
  merge_slots(d_weight, slots.weights, slots);
  merge_slots(d_bias, slots.biases, slots);
}

}  // namespace

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g,
                          int batch, const Scratch& scratch) {
  if (covers_map(g)) return lanes::dense_backward_params(d_weight, d_bias, d_output, input, as_dense(g), batch, scratch);
  sum_up(d_weight, d_bias, d_output, input, g, batch, scratch);
}

void conv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  if (covers_map(g)) return lanes::dense_backward_params(d_weight, d_output, input, as_dense(g), batch, scratch);
  sum_up(d_weight, {}, d_output, input, g, batch, scratch);
}

}  // namespace cnn::lanes
