// Depthwise convolution, a plane at a time: laid out so that each tap of the kernel is one shift, then summed
// in vectors.
#include "cnn/ops/depthwise_planes.hpp"

namespace cnn {

namespace {

MapGeometry input_map(const ConvGeometry& g) {
  return {g.in_channels, g.in_height, g.in_width, g.block};
}
int multiplier(const ConvGeometry& g) {
  return g.out_channels / g.in_channels;
}
std::ptrdiff_t out_pixels(const ConvGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
}

// The way back: a plane of d_input from its phases; what no window saw is 0.
template <class Stride>
void scatter(float* plane, const float* phases, const ConvGeometry& g, const DepthwiseLayout& layout,
             Stride stride) {
  std::fill_n(plane, static_cast<std::ptrdiff_t>(g.in_height) * g.in_width, 0.0f);
  for_each_phase_row(g, layout, [&](std::ptrdiff_t row, int in_y, const PhaseColumns& columns) {
    if (in_y < 0 || columns.begin == columns.end) return;
    const float* __restrict from = phases + row + columns.begin;
    float* __restrict to = plane + static_cast<std::ptrdiff_t>(in_y) * g.in_width + columns.first;
    for (int x = 0; x < columns.end - columns.begin; ++x) to[x * stride] = from[x];
  });
}

// A plane of d_output at the layout's pitch, zeros around it.
void spread(float* to, const float* plane, const ConvGeometry& g, const DepthwiseLayout& layout) {
  std::fill_n(to, layout.margin, 0.0f);
  to += layout.margin;
  for (int y = 0; y < g.out_height; ++y, plane += g.out_width) {
    to = std::copy_n(plane, g.out_width, to);
    to = std::fill_n(to, layout.reach_width, 0.0f);
  }
  std::fill_n(to, layout.margin, 0.0f);
}

// Adds to (or, where `starts`, makes) the phases of d_input what one plane of d_output, spread, gives them.
void add_to_phases(float* phases, const float* d_output, const float* weight, const ConvGeometry& g,
                   const Depthwise& depthwise, bool starts) {
  const DepthwiseLayout& layout = depthwise.layout;
  for (int phase = 0; phase < layout.phases_height * layout.phases_width; ++phase) {
    float* to = phases + phase * static_cast<std::ptrdiff_t>(layout.plane());
    bool starts_phase = starts;
    Taps taps;
    const auto flush = [&] {
      if (taps.count == 0) return;
      correlate(to, d_output + layout.margin, static_cast<std::ptrdiff_t>(layout.plane()), taps, starts_phase,
                0);
      starts_phase = false;
      taps.count = 0;
    };
    for (int tap = 0; tap < g.taps(); ++tap) {
      if (depthwise.places[tap].phase != phase) continue;
      taps.add(-depthwise.places[tap].offset, weight[tap]);
      if (taps.count == kTapsTogether) flush();
    }
    flush();
    if (starts_phase) std::fill_n(to, layout.plane(), 0.0f);  // no tap reads this phase
  }
}

// Calls work(block, channel, the input plane's offset, its first output plane's) for each plane of the input.
template <class Work>
void for_each_input_plane(const ConvGeometry& g, int batch, Work&& work) {
  const std::ptrdiff_t in_pixels = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  for_each_map_plane(input_map(g), batch, [&](int block, std::ptrdiff_t plane) {
    const std::ptrdiff_t channel = plane / g.block;
    const std::ptrdiff_t out_plane = channel * multiplier(g) * g.block + plane % g.block;
    work(block, static_cast<int>(channel), plane * in_pixels, out_plane * out_pixels(g));
  });
}

}  // namespace

void dwconv(Blocked output, const Loaded& input, ConstFloats weight, const Epilogue& epilogue, const ConvGeometry& g,
            int batch, const Scratch& scratch) {
  const Depthwise depthwise(g);
  const DepthwiseLayout& layout = depthwise.layout;
  for_each_input_plane(g, batch, [&](int block, int channel, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
    float* phases = scratch.thread(team_rank());
    gather(phases, input, channel, input.map.block(block) + in_offset, g, layout);
    for (int i = 0; i < multiplier(g); ++i) {
      const int out = channel * multiplier(g) + i;
      const std::ptrdiff_t offset = out_offset + i * g.block * out_pixels(g);
      const float* addend = epilogue.addend.data == nullptr ? nullptr : epilogue.addend.block(block) + offset;
      forward_plane(output.block(block) + offset, phases, weight.data() + static_cast<std::ptrdiff_t>(out) * g.taps(),
                    PlaneEpilogue(epilogue, out, g.out_channels), addend, g, depthwise, phases + layout.input_floats());
    }
  });
}

void dwconv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g,
                           int batch, const Scratch& scratch) {
  const Depthwise depthwise(g);
  const DepthwiseLayout& layout = depthwise.layout;
  with_stride(g.stride_width, [&](auto stride) {
    for_each_input_plane(
        g, batch, [&](int block, int channel, std::ptrdiff_t in_offset, std::ptrdiff_t out_offset) {
          float* phases = scratch.thread(team_rank());
          float* spare = phases + layout.input_floats();
          for (int i = 0; i < multiplier(g); ++i) {
            const std::ptrdiff_t out = static_cast<std::ptrdiff_t>(channel) * multiplier(g) + i;
            spread(spare, d_output.block(block) + out_offset + i * g.block * out_pixels(g), g, layout);
            add_to_phases(phases, spare, weight.data() + out * g.taps(), g, depthwise, i == 0);
          }
          scatter(d_input.block(block) + in_offset, phases, g, layout, stride);
        });
  });
}

// A tile is an output channel, so that its sums over the batch have one order.
void dwconv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g,
                            int batch, const Scratch& scratch) {
  const Depthwise depthwise(g);
  const DepthwiseLayout& layout = depthwise.layout;
  const std::ptrdiff_t in_pixels = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(g.out_height) * layout.pitch - layout.reach_width;
  for_each_tile(g.out_channels, [&](int out) {
    float* phases = scratch.thread(team_rank());
    float* spare = phases + layout.input_floats();
    float* gradient = d_weight.data() + static_cast<std::ptrdiff_t>(out) * g.taps();
    const std::ptrdiff_t channel = out / multiplier(g);
    // Passes over the batch, each for a few taps: a sum in double for every tap of a large kernel would need
    // memory.
    for (int first = 0; first < g.taps(); first += kTapsTogether) {
      const Taps taps = depthwise.taps_from(first, g.taps(), nullptr);
      double sums[kTapsTogether] = {};
      for (int image = 0; image < batch; ++image) {
        const int block = image / g.block;
        const int place = image % g.block;
        const float* plane = input.map.block(block) + (channel * g.block + place) * in_pixels;
        gather(phases, input, static_cast<int>(channel), plane, g, layout);
        spread(spare,
               d_output.block(block) + (static_cast<std::ptrdiff_t>(out) * g.block + place) * out_pixels(g),
               g, layout);
        add_products(sums, spare + layout.margin, phases, count, taps);
      }
      for (int tap = 0; tap < taps.count; ++tap) gradient[first + tap] = static_cast<float>(sums[tap]);
    }
  });
}

void dwconv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input,
                            const ConvGeometry& g, int batch, const Scratch& scratch) {
  dwconv_backward_params(d_weight, d_output, input, g, batch, scratch);
  sum_channels(d_bias, d_output, {g.out_channels, g.out_height, g.out_width, g.block}, batch);
}

}  // namespace cnn
