// The gradient of a convolution's weights on lanes: sums over places and images, in eight lanes of which each is a sum over
// other images, until a block is done. A register tile has a few taps of a row of the kernel for a few output channels.
#include "cnn/ops/lanes/conv.hpp"
#include "cnn/ops/lanes/lanes.hpp"

namespace cnn::lanes {

namespace {

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

// sums [kChannels][taps of the kernel][8] += the strip's products for kTaps taps side by side.
template <int kChannels, int kTaps>
void add_strip(float* sums, int taps, const Strip& strip) {
  Vector held[kChannels][kTaps];
#pragma GCC unroll 4
  for (int i = 0; i < kChannels; ++i) {
#pragma GCC unroll 5
    for (int tap = 0; tap < kTaps; ++tap) held[i][tap] = load(sums + (i * taps + tap) * kLanes);
  }
  for (int y = 0; y < strip.lines; ++y) {
    const float* d_output = strip.d_output + y * strip.d_line;
    const float* input = strip.input + y * strip.line;
#pragma GCC unroll 4
    for (int x = 0; x < strip.places.count; ++x) {
      Vector gradients[kChannels];
#pragma GCC unroll 4
      for (int i = 0; i < kChannels; ++i) gradients[i] = load_once(d_output + i * strip.channel);
#pragma GCC unroll 5
      for (int tap = 0; tap < kTaps; ++tap) {
        const Vector element = load_once(input + tap * strip.tap);
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
    for (int tap = 0; tap < kTaps; ++tap) store(sums + (i * taps + tap) * kLanes, held[i][tap]);
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
    if (inside) std::copy_n(input + static_cast<std::ptrdiff_t>(from) * g.in_width * kImages, (end - begin) * kImages, to + begin * kImages);
    std::fill_n(to + end * kImages, (width - end) * kImages, 0.0f);
  }
  return {scratch, width};
}

// Some output channels' gradients of a block, and the images that count.
struct Gradients {
  const float* d_output;
  int channels;
};

// sums [channels][taps][8] = over the places of a plane, line by line as `places` says.
void sum_plane(float* sums, const Gradients& gradients, const Plane& plane, const Line& places, const ConvGeometry& g) {
  std::fill_n(sums, gradients.channels * g.taps() * kLanes, 0.0f);
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
                 sums + (tap_y * g.kernel_width + tap_x) * kLanes, g.taps(),
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

// One task's share: channels [first, first + count) over the blocks of a slot.
struct Share {
  int slot, first, count;
};

void add_share(float* d_weight, float* d_bias, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g, int batch,
               const Share& share, float* scratch) {
  const int blocks = block_count(batch, kImages), slots = gradient_slots(g);
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(g.out_height) * g.out_width * kImages;
  const std::ptrdiff_t in_plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width * kImages;
  float* padded = scratch + gradient_channels(g) * g.taps() * kLanes;
  std::fill_n(d_weight, share.count * g.depth(), 0.0f);
  std::fill_n(d_bias, share.count, 0.0f);
  for (int block = blocks * share.slot / slots; block < blocks * (share.slot + 1) / slots; ++block) {
    const int images = images_in_block(batch, kImages, block);
    const float* gradients = d_output.block(block) + share.first * plane;
    for (int channel = 0; channel < g.in_channels; ++channel) {
      const Plane source = padded_plane(padded, input.block(block) + channel * in_plane, g);
      const auto add = [&](int lane, const Line& places, int lanes) {
        sum_plane(scratch, {gradients + lane, share.count}, {source.data + lane, source.width}, places, g);
        for (int i = 0; i < share.count; ++i) {
          float* to = d_weight + static_cast<std::ptrdiff_t>(i) * g.depth() + channel * g.taps();
          for (int tap = 0; tap < g.taps(); ++tap) to[tap] += sum_lanes(load(scratch + (i * g.taps() + tap) * kLanes), lanes);
        }
      };
      // Lanes of a whole block can be added up in pairs; of a short one only some count.
      if (images == kImages && g.stride_width == 1) {
        add(0, {2 * g.out_width, kLanes, kLanes}, kLanes);
      } else {
        const Line every_other{g.out_width, kImages, static_cast<std::ptrdiff_t>(g.stride_width) * kImages};
        add(0, every_other, std::min(images, kLanes));
        if (images > kLanes) add(kLanes, every_other, images - kLanes);
      }
    }
    for (int i = 0; i < share.count; ++i) {
      Images sum = {};
      for (const float* from = gradients + i * plane; from < gradients + (i + 1) * plane; from += kImages) {
        const Images value = load_images(from);
        sum.low += value.low;
        sum.high += value.high;
      }
      d_bias[i] += sum_lanes(sum.low, images) + sum_lanes(sum.high, images - kLanes);
    }
  }
}

// Partial sums, [slot][weights, then biases].
void sum_slots(float* slots, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g, int batch,
               const Scratch& scratch) {
  const int channels = gradient_channels(g);
  const int tiles = (g.out_channels + channels - 1) / channels;
  const std::ptrdiff_t weights = static_cast<std::ptrdiff_t>(g.out_channels) * g.depth();
  for_each_tile(gradient_slots(g) * tiles, [&](int task) {
    const int first = task % tiles * channels;
    float* partial = slots + task / tiles * (weights + g.out_channels);
    add_share(partial + static_cast<std::ptrdiff_t>(first) * g.depth(), partial + weights + first, d_output, input, g, batch,
              {task / tiles, first, std::min(channels, g.out_channels - first)}, scratch.thread(team_rank()));
  });
}

// to = the sum of the slots' floats from `begin` on, in order.
void merge_slots(Floats to, const float* slots, std::ptrdiff_t begin, const ConvGeometry& g) {
  constexpr std::ptrdiff_t kInTile = 2048;
  const std::ptrdiff_t partial = static_cast<std::ptrdiff_t>(g.out_channels) * (g.depth() + 1);
  const auto count = static_cast<std::ptrdiff_t>(to.size());
  for_each_tile(static_cast<int>((count + kInTile - 1) / kInTile), [&](int tile) {
    const std::ptrdiff_t end = std::min((tile + 1) * kInTile, count);
    for (std::ptrdiff_t i = tile * kInTile; i < end; ++i) {
      float sum = 0;
      for (int slot = 0; slot < gradient_slots(g); ++slot) sum += slots[slot * partial + begin + i];
      to[static_cast<std::size_t>(i)] = sum;
    }
  });
}

}  // namespace

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g,
                          int batch, const Scratch& scratch) {
  if (covers_map(g)) return lanes::dense_backward_params(d_weight, d_bias, d_output, input, as_dense(g), batch, scratch);
  sum_slots(scratch.shared, d_output, input, g, batch, scratch);
  merge_slots(d_weight, scratch.shared, 0, g);
  merge_slots(d_bias, scratch.shared, static_cast<std::ptrdiff_t>(g.out_channels) * g.depth(), g);
}

void conv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  if (covers_map(g)) return lanes::dense_backward_params(d_weight, d_output, input, as_dense(g), batch, scratch);
  sum_slots(scratch.shared, d_output, input, g, batch, scratch);
  merge_slots(d_weight, scratch.shared, 0, g);
}

}  // namespace cnn::lanes
