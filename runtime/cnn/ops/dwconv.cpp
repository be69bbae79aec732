// Depthwise convolution, a channel's planes at a time, in strips of rows that fit the first-level cache.
// Windows too large for that go tap by tap over the rows themselves.
#include "cnn/ops/dwconv.hpp"

#include "cnn/ops/dwconv_rows.hpp"

namespace cnn {

namespace {

using namespace dwconv_rows;

std::ptrdiff_t in_plane(const ConvGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
}
std::ptrdiff_t out_plane(const ConvGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.out_height) * g.out_width;
}

int round_up(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
int ceil_of(int value, int divisor) {  // of a quotient that is 0 where it would be negative
  return value > 0 ? (value + divisor - 1) / divisor : 0;
}

// Calls visit(tap, offset of a row's first input, offset of its first output, count) for each tap and row of
// outputs.
template <class Visit>
void for_each_tap_row(const ConvGeometry& g, Visit&& visit) {
  for (int tap = 0; tap < g.taps(); ++tap) {
    const int shift_y = tap / g.kernel_width * g.dilation_height - g.pad_top;
    const int shift_x = tap % g.kernel_width * g.dilation_width - g.pad_left;
    const int begin = ceil_of(-shift_x, g.stride_width);
    const int end = std::min(ceil_of(g.in_width - shift_x, g.stride_width), g.out_width);
    for (int y = 0; y < g.out_height && begin < end; ++y) {
      const int in_y = y * g.stride_height + shift_y;
      if (in_y < 0 || in_y >= g.in_height) continue;
      visit(tap, static_cast<std::ptrdiff_t>(in_y) * g.in_width + begin * g.stride_width + shift_x,
            static_cast<std::ptrdiff_t>(y) * g.out_width + begin, end - begin);
    }
  }
}

// How outputs read a buffer of inputs: the strips of forward and of the weights' gradient.
struct Reading {
  Layout layout;
  int strip = 0;  // rows of outputs whose inputs fit; 0 if not even a few do

  explicit Reading(const ConvGeometry& g) {
    const int reach = (g.kernel_width - 1) * g.dilation_width / g.stride_width;
    layout = {g.stride_width, round_up(g.out_width, kLanes) + reach, 0};
    const std::int64_t row = static_cast<std::int64_t>(layout.phases) * layout.phase;
    const int span = (g.kernel_height - 1) * g.dilation_height + 1;
    if (g.taps() > kMostTaps || row * (span + (kRows - 1) * g.stride_height) > kBufferFloats) return;
    const int most = (kBufferFloats / layout.row() - span) / g.stride_height + 1;
    strip = std::min(most / kRows * kRows, round_up(g.out_height, kRows));
    layout.rows = (strip - 1) * g.stride_height + span;
  }

  int offset(const ConvGeometry& g, int tap) const {
    const int column = tap % g.kernel_width * g.dilation_width;
    return tap / g.kernel_width * g.dilation_height * layout.row() + column % g.stride_width * layout.phase +
           column / g.stride_width;
  }
};

// A buffer of inputs, and whether its zeros are where they belong.
struct Buffer {
  alignas(64) float data[kBufferFloats];
  int holds = -1;  // the first output row of the strip it was last used for

  void load(const float* plane, const ConvGeometry& g, const Reading& reading, int y) {
    if (holds != y) std::fill_n(data, reading.layout.floats(), 0.0f);
    holds = y;
    fill(data, reading.layout, plane, g.in_height, g.in_width, y * g.stride_height - g.pad_top, -g.pad_left);
  }
};

void forward_plane(float* out, const float* in, const ConvGeometry& g, const Reading& reading,
                   const Taps& taps, float bias, Buffer& buffer) {
  const int row = g.stride_height * reading.layout.row();
  for (int strip = 0; strip < g.out_height; strip += reading.strip) {
    buffer.load(in, g, reading, strip);
    const int end = std::min(strip + reading.strip, g.out_height);
    for (int y = strip; y < end; y += kRows) {
      convolve(out + static_cast<std::ptrdiff_t>(y) * g.out_width, g.out_width, std::min(kRows, end - y),
               g.out_width, buffer.data + (y - strip) * row, row, taps, bias);
    }
  }
}

void forward_by_taps(float* out, const float* in, const ConvGeometry& g, const float* weights, float bias) {
  std::fill_n(out, out_plane(g), bias);
  for_each_tap_row(g, [&](int tap, std::ptrdiff_t from, std::ptrdiff_t to, int count) {
    for (int i = 0; i < count; ++i) out[to + i] += weights[tap] * in[from + i * g.stride_width];
  });
}

void forward(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias, const ConvGeometry& g,
             int batch) {
  const Reading reading(g);
  const MapGeometry map{g.out_channels, g.out_height, g.out_width, g.block};
  for_each_channels(map, batch, [&](int block, int begin, int end, int images) {
    Buffer buffer;
    Taps taps;
    taps.count = g.taps();
    for (int tap = 0; tap < taps.count && reading.strip > 0; ++tap)
      taps.offsets[tap] = reading.offset(g, tap);
    for (int channel = begin; channel < end; ++channel) {
      const float* weights = weight.data() + static_cast<std::ptrdiff_t>(channel) * g.taps();
      if (reading.strip > 0) std::copy_n(weights, taps.count, taps.weights);
      const float shift = bias.empty() ? 0.0f : bias[static_cast<std::size_t>(channel)];
      for (int image = 0; image < images; ++image) {
        const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(channel) * g.block + image;
        const float* in = input.block(block) + plane * in_plane(g);
        float* out = output.block(block) + plane * out_plane(g);
        if (reading.strip > 0) {
          forward_plane(out, in, g, reading, taps, shift, buffer);
        } else {
          forward_by_taps(out, in, g, weights, shift);
        }
      }
    }
  });
}

// How the input's gradient reads a buffer of d_output. Element i of d_input, with padding, has i = a * stride
// + p, and only the taps whose place has the same remainder p reach it: for each remainder it is a
// convolution with stride 1.
struct Spreading {
  Layout layout;
  int strip = 0;           // values of a whose rows fit; 0 if not even a few do
  int before_y, before_x;  // rows and columns of d_output that a window reaches back
  int columns;             // values of a that a row has

  explicit Spreading(const ConvGeometry& g)
      : before_y((g.kernel_height - 1) * g.dilation_height / g.stride_height),
        before_x((g.kernel_width - 1) * g.dilation_width / g.stride_width),
        columns((g.in_width - 1 + g.pad_left) / g.stride_width + 1) {
    layout = {1, before_x + columns + kLanes, 0};
    const std::int64_t phases = static_cast<std::int64_t>(g.stride_height) * g.stride_width;
    const std::int64_t needed = static_cast<std::int64_t>(layout.phase) * (before_y + 2 * kRows);
    if (g.taps() > kMostTaps || phases > kMostPhases || needed > kBufferFloats) return;
    const int most = kBufferFloats / layout.row() - before_y - kRows;
    strip =
        std::min(most / kRows * kRows, round_up((g.in_height - 1 + g.pad_top) / g.stride_height + 1, kRows));
    layout.rows = strip + before_y + kRows;
  }

  static constexpr int kMostPhases = 16;

  // The taps of the remainders p and q of the rows and columns.
  void select(Taps& taps, const ConvGeometry& g, const float* weights, int p, int q) const {
    taps.count = 0;
    for (int tap = 0; tap < g.taps(); ++tap) {
      const int y = tap / g.kernel_width * g.dilation_height - p;
      const int x = tap % g.kernel_width * g.dilation_width - q;
      if (y % g.stride_height != 0 || x % g.stride_width != 0) continue;
      taps.offsets[taps.count] =
          (before_y - y / g.stride_height) * layout.row() + before_x - x / g.stride_width;
      taps.weights[taps.count++] = weights[tap];
    }
  }
};

// Rows [a, a + rows) of remainders p, q of a plane of d_input.
void spread_rows(float* d_in, const ConvGeometry& g, const Taps& taps, const float* from, int row, int a,
                 int rows, int p, int q) {
  const int begin = ceil_of(g.pad_left - q, g.stride_width);
  const int end = ceil_of(g.in_width + g.pad_left - q, g.stride_width);
  if (begin >= end) return;
  const std::ptrdiff_t step = static_cast<std::ptrdiff_t>(g.stride_height) * g.in_width;
  float* to = d_in + static_cast<std::ptrdiff_t>(a * g.stride_height + p - g.pad_top) * g.in_width +
              begin * g.stride_width + q - g.pad_left;
  if (g.stride_width == 1) return convolve(to, step, rows, end - begin, from + begin, row, taps, 0);
  constexpr int kPiece = 64;
  float sums[kRows * kPiece];
  with_stride(g.stride_width, [&](auto stride) {
    for (int x = begin; x < end; x += kPiece, to += kPiece * stride) {
      const int count = std::min(kPiece, end - x);
      convolve(sums, kPiece, rows, count, from + x, row, taps, 0);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < count; ++j) to[i * step + j * stride] = sums[i * kPiece + j];
      }
    }
  });
}

void spread_plane(float* d_in, const float* d_out, const ConvGeometry& g, const Spreading& spreading,
                  const Taps* taps, float* buffer) {
  const int strips_end = (g.in_height - 1 + g.pad_top) / g.stride_height + 1;
  const Layout& layout = spreading.layout;
  for (int strip = 0; strip < strips_end; strip += spreading.strip) {
    const bool only = spreading.strip >= strips_end;  // then all zeros are where they were
    if (!only) std::fill_n(buffer, layout.floats(), 0.0f);
    fill(buffer, layout, d_out, g.out_height, g.out_width, strip - spreading.before_y, -spreading.before_x);
    for (int p = 0; p < g.stride_height; ++p) {
      const int begin = std::max(strip, ceil_of(g.pad_top - p, g.stride_height));
      const int end =
          std::min(strip + spreading.strip, ceil_of(g.in_height + g.pad_top - p, g.stride_height));
      for (int a = begin; a < end; a += kRows) {
        for (int q = 0; q < g.stride_width; ++q) {
          spread_rows(d_in, g, taps[p * g.stride_width + q], buffer + (a - strip) * layout.row(),
                      layout.row(), a, std::min(kRows, end - a), p, q);
        }
      }
    }
  }
}

void spread_by_taps(float* d_in, const float* d_out, const ConvGeometry& g, const float* weights) {
  std::fill_n(d_in, in_plane(g), 0.0f);
  for_each_tap_row(g, [&](int tap, std::ptrdiff_t to, std::ptrdiff_t from, int count) {
    for (int i = 0; i < count; ++i) d_in[to + i * g.stride_width] += weights[tap] * d_out[from + i];
  });
}

// Sums of products of a channel's taps: in lanes of floats for a while, which is quick, then in double. Taps
// that fill up the last group read where the first does, and their sums are dropped.
struct Correlation {
  static constexpr int kTaps = (kMostTaps + kGroup - 1) / kGroup * kGroup;
  static constexpr int kMostVectors = 1024;

  Lanes lanes[kTaps] = {};
  double sums[kTaps] = {};
  int offsets[kTaps] = {};
  int vectors = 0;  // summed in lanes

  void add_rows(const float* d_out, int rows, const float* from, int from_step, const ConvGeometry& g) {
    for (int tap = 0; tap < g.taps(); tap += kGroup) {
      correlate(lanes + tap, offsets + tap, d_out, rows, g.out_width, from, from_step);
    }
    vectors += rows * ((g.out_width + kLanes - 1) / kLanes);
    if (vectors >= kMostVectors) flush(g.taps());
  }

  void flush(int taps) {
    for (int tap = 0; tap < taps; ++tap) {
      for (int lane = 0; lane < kLanes; ++lane) sums[tap] += static_cast<double>(lanes[tap][lane]);
      lanes[tap] = Lanes{};
    }
    vectors = 0;
  }
};

// Calls work(d_output's plane, input's plane) for all images of a channel.
template <class Work>
void for_each_image(ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g, int batch, int channel,
                    Work&& work) {
  for (int block = 0; block < block_count(batch, g.block); ++block) {
    for (int image = 0; image < images_in_block(batch, g.block, block); ++image) {
      const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(channel) * g.block + image;
      work(d_output.block(block) + plane * out_plane(g), input.block(block) + plane * in_plane(g));
    }
  }
}

void weight_gradient(float* d_weight, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g,
                     int batch, const Reading& reading, int channel) {
  Correlation correlation;
  for (int tap = 0; tap < g.taps(); ++tap) correlation.offsets[tap] = reading.offset(g, tap);
  Buffer buffer;
  const int row = g.stride_height * reading.layout.row();
  for_each_image(d_output, input, g, batch, channel, [&](const float* d_out, const float* in) {
    for (int strip = 0; strip < g.out_height; strip += reading.strip) {
      buffer.load(in, g, reading, strip);
      correlation.add_rows(d_out + static_cast<std::ptrdiff_t>(strip) * g.out_width,
                           std::min(reading.strip, g.out_height - strip), buffer.data, row, g);
    }
  });
  correlation.flush(g.taps());
  for (int tap = 0; tap < g.taps(); ++tap) d_weight[tap] = static_cast<float>(correlation.sums[tap]);
}

void weight_gradient_by_taps(float* d_weight, ConstBlocked d_output, ConstBlocked input,
                             const ConvGeometry& g, int batch, int channel) {
  std::fill_n(d_weight, g.taps(), 0.0f);
  for_each_image(d_output, input, g, batch, channel, [&](const float* d_out, const float* in) {
    for_each_tap_row(g, [&](int tap, std::ptrdiff_t from, std::ptrdiff_t to, int count) {
      d_weight[tap] += static_cast<float>(
          sum_terms(count, [&](std::ptrdiff_t i) { return d_out[to + i] * in[from + i * g.stride_width]; }));
    });
  });
}

}  // namespace

void dwconv(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
            const ConvGeometry& geometry, int batch) {
  forward(output, input, weight, bias, geometry, batch);
}

void dwconv(Blocked output, ConstBlocked input, ConstFloats weight, const ConvGeometry& geometry, int batch) {
  forward(output, input, weight, {}, geometry, batch);
}

void dwconv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g,
                           int batch) {
  const Spreading spreading(g);
  const MapGeometry map{g.in_channels, g.in_height, g.in_width, g.block};
  for_each_channels(map, batch, [&](int block, int begin, int end, int images) {
    Taps taps[Spreading::kMostPhases];
    alignas(64) float buffer[kBufferFloats];
    std::fill_n(buffer, spreading.strip > 0 ? spreading.layout.floats() : 0, 0.0f);
    for (int channel = begin; channel < end; ++channel) {
      const float* weights = weight.data() + static_cast<std::ptrdiff_t>(channel) * g.taps();
      for (int phase = 0; phase < g.stride_height * g.stride_width && spreading.strip > 0; ++phase) {
        spreading.select(taps[phase], g, weights, phase / g.stride_width, phase % g.stride_width);
      }
      for (int image = 0; image < images; ++image) {
        const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(channel) * g.block + image;
        float* d_in = d_input.block(block) + plane * in_plane(g);
        const float* d_out = d_output.block(block) + plane * out_plane(g);
        if (spreading.strip > 0) {
          spread_plane(d_in, d_out, g, spreading, taps, buffer);
        } else {
          spread_by_taps(d_in, d_out, g, weights);
        }
      }
    }
  });
}

void dwconv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                            const ConvGeometry& g, int batch) {
  const Reading reading(g);
  for_each_tile(g.out_channels, [&](int channel) {
    float* to = d_weight.data() + static_cast<std::ptrdiff_t>(channel) * g.taps();
    if (reading.strip > 0) {
      weight_gradient(to, d_output, input, g, batch, reading, channel);
    } else {
      weight_gradient_by_taps(to, d_output, input, g, batch, channel);
    }
    if (d_bias.empty()) return;
    double sum = 0;
    for_each_image(d_output, input, g, batch, channel, [&](const float* d_out, const float*) {
      sum += sum_terms(out_plane(g), [d_out](std::ptrdiff_t i) { return d_out[i]; });
    });
    d_bias[static_cast<std::size_t>(channel)] = static_cast<float>(sum);
  });
}

void dwconv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input,
                            const ConvGeometry& geometry, int batch) {
  dwconv_backward_params(d_weight, {}, d_output, input, geometry, batch);
}

}  // namespace cnn
