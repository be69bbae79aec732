// The naive kernels.
#include "reference.hpp"

#include <cmath>
#include <limits>

namespace cnn::tests::reference {

namespace {

std::size_t index(int image, int channel, int y, int x, int channels, int height, int width) {
  return ((static_cast<std::size_t>(image) * static_cast<std::size_t>(channels) +
           static_cast<std::size_t>(channel)) *
              static_cast<std::size_t>(height) +
          static_cast<std::size_t>(y)) *
             static_cast<std::size_t>(width) +
         static_cast<std::size_t>(x);
}

// Calls visit(output, input, weight), indices, for each product of a convolution.
template <class Visit>
void for_each_product(const ConvGeometry& g, int batch, Visit&& visit) {
  const int group_in = g.in_channels / g.groups;
  const int group_out = g.out_channels / g.groups;
  for (int image = 0; image < batch; ++image) {
    for (int out = 0; out < g.out_channels; ++out) {
      for (int y = 0; y < g.out_height; ++y) {
        for (int x = 0; x < g.out_width; ++x) {
          for (int in = 0; in < group_in; ++in) {
            for (int tap = 0; tap < g.taps(); ++tap) {
              const int in_y = y * g.stride_height - g.pad_top + tap / g.kernel_width * g.dilation_height;
              const int in_x = x * g.stride_width - g.pad_left + tap % g.kernel_width * g.dilation_width;
              if (in_y < 0 || in_y >= g.in_height || in_x < 0 || in_x >= g.in_width) continue;
              visit(index(image, out, y, x, g.out_channels, g.out_height, g.out_width),
                    index(image, out / group_out * group_in + in, in_y, in_x, g.in_channels, g.in_height,
                          g.in_width),
                    index(0, out, in, tap, g.out_channels, group_in, g.taps()));
            }
          }
        }
      }
    }
  }
}

int positions(int in, int kernel, int stride, int pad, bool ceil) {
  const int span = in + 2 * pad - kernel;
  if (span < 0) return 0;
  int out = (span + (ceil ? stride - 1 : 0)) / stride + 1;
  if (ceil && (out - 1) * stride >= in + pad) --out;
  return out;
}

struct WindowPart {
  int y_begin, y_end, x_begin, x_end;  // with padding, cut off where it ends
};

// Calls visit(output index, first element of the plane, window) for each output of a pool.
template <class Visit>
void for_each_window(const PoolGeometry& g, int batch, Visit&& visit) {
  for (int image = 0; image < batch; ++image) {
    for (int channel = 0; channel < g.channels; ++channel) {
      for (int y = 0; y < g.out_height; ++y) {
        for (int x = 0; x < g.out_width; ++x) {
          WindowPart window{y * g.stride_height - g.pad_top, 0, x * g.stride_width - g.pad_left, 0};
          window.y_end = std::min(window.y_begin + g.kernel_height, g.in_height + g.pad_top);
          window.x_end = std::min(window.x_begin + g.kernel_width, g.in_width + g.pad_left);
          visit(index(image, channel, y, x, g.channels, g.out_height, g.out_width),
                index(image, channel, 0, 0, g.channels, g.in_height, g.in_width), window);
        }
      }
    }
  }
}

// Calls visit(element) for the elements of a window that are in the input.
template <class Visit>
void for_each_element(const Doubles& input, std::size_t plane, const PoolGeometry& g,
                      const WindowPart& window, Visit&& visit) {
  for (int y = std::max(window.y_begin, 0); y < std::min(window.y_end, g.in_height); ++y) {
    for (int x = std::max(window.x_begin, 0); x < std::min(window.x_end, g.in_width); ++x) {
      visit(input[plane + index(0, 0, y, x, 1, g.in_height, g.in_width)]);
    }
  }
}

}  // namespace

bool complete(ConvGeometry& g) {
  g.out_height = positions(g.in_height, (g.kernel_height - 1) * g.dilation_height + 1, g.stride_height,
                           g.pad_top, false);
  g.out_width =
      positions(g.in_width, (g.kernel_width - 1) * g.dilation_width + 1, g.stride_width, g.pad_left, false);
  return g.out_height > 0 && g.out_width > 0;
}

bool complete(PoolGeometry& g, bool ceil) {
  g.out_height = positions(g.in_height, g.kernel_height, g.stride_height, g.pad_top, ceil);
  g.out_width = positions(g.in_width, g.kernel_width, g.stride_width, g.pad_left, ceil);
  return g.out_height > 0 && g.out_width > 0;
}

Doubles conv(const Doubles& input, const Doubles& weight, const Doubles& bias, const ConvGeometry& g,
             int batch) {
  Doubles output(index(batch, 0, 0, 0, g.out_channels, g.out_height, g.out_width));
  for (std::size_t i = 0; i < output.size() && !bias.empty(); ++i) {
    output[i] = bias[i / static_cast<std::size_t>(g.out_height * g.out_width) % bias.size()];
  }
  for_each_product(g, batch,
                   [&](std::size_t o, std::size_t i, std::size_t w) { output[o] += input[i] * weight[w]; });
  return output;
}

Doubles conv_backward_input(const Doubles& d_output, const Doubles& weight, const ConvGeometry& g,
                            int batch) {
  Doubles d_input(index(batch, 0, 0, 0, g.in_channels, g.in_height, g.in_width));
  for_each_product(
      g, batch, [&](std::size_t o, std::size_t i, std::size_t w) { d_input[i] += d_output[o] * weight[w]; });
  return d_input;
}

Doubles conv_backward_weight(const Doubles& d_output, const Doubles& input, const ConvGeometry& g,
                             int batch) {
  Doubles d_weight(static_cast<std::size_t>(g.out_channels) * static_cast<std::size_t>(g.depth()));
  for_each_product(
      g, batch, [&](std::size_t o, std::size_t i, std::size_t w) { d_weight[w] += d_output[o] * input[i]; });
  return d_weight;
}

Doubles channel_sums(const Doubles& values, int channels, int pixels, int batch) {
  Doubles sums(static_cast<std::size_t>(channels));
  EXPECT_EQ(values.size(), sums.size() * static_cast<std::size_t>(pixels * batch));
  for (std::size_t i = 0; i < values.size(); ++i)
    sums[i / static_cast<std::size_t>(pixels) % sums.size()] += values[i];
  return sums;
}

Doubles dense(const Doubles& input, const Doubles& weight, const Doubles& bias, int in, int out, int batch) {
  Doubles output(index(batch, 0, 0, 0, out, 1, 1));
  for (int image = 0; image < batch; ++image) {
    for (int o = 0; o < out; ++o) {
      double sum = bias.empty() ? 0 : bias[static_cast<std::size_t>(o)];
      for (int i = 0; i < in; ++i)
        sum += weight[index(0, o, i, 0, out, in, 1)] * input[index(image, i, 0, 0, in, 1, 1)];
      output[index(image, o, 0, 0, out, 1, 1)] = sum;
    }
  }
  return output;
}

Doubles maxpool(const Doubles& input, const PoolGeometry& g, int batch) {
  Doubles output(index(batch, 0, 0, 0, g.channels, g.out_height, g.out_width));
  for_each_window(g, batch, [&](std::size_t out, std::size_t plane, const WindowPart& window) {
    double best = -std::numeric_limits<double>::infinity();
    for_each_element(input, plane, g, window,
                     [&](double value) { best = value > best || value != value ? value : best; });
    output[out] = best;
  });
  return output;
}

Doubles avgpool(const Doubles& input, const PoolGeometry& g, int batch) {
  Doubles output(index(batch, 0, 0, 0, g.channels, g.out_height, g.out_width));
  for_each_window(g, batch, [&](std::size_t out, std::size_t plane, const WindowPart& window) {
    double sum = 0;
    int inside = 0;
    for_each_element(input, plane, g, window, [&](double value) {
      sum += value;
      ++inside;
    });
    const int padded = (window.y_end - window.y_begin) * (window.x_end - window.x_begin);
    const int count = g.count_include_pad ? padded : inside;
    output[out] = inside > 0 ? sum / count : 0;
  });
  return output;
}

BatchStatistics batch_statistics(const Doubles& input, const BnGeometry& g, int batch) {
  const int pixels = g.height * g.width;
  const double count = static_cast<double>(pixels) * batch;
  BatchStatistics result{channel_sums(input, g.channels, pixels, batch), {}, {}};
  for (double& mean : result.mean) mean /= count;
  Doubles squares = input;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    const double difference =
        input[i] - result.mean[i / static_cast<std::size_t>(pixels) % result.mean.size()];
    squares[i] = difference * difference;
  }
  for (const double sum : channel_sums(squares, g.channels, pixels, batch)) {
    result.biased_variance.push_back(sum / count);
    result.unbiased_variance.push_back(sum / std::max(count - 1, 1.0));
  }
  return result;
}

Doubles normalise(const Doubles& input, const Doubles& mean, const Doubles& variance, const Doubles& weight,
                  const Doubles& bias, const BnGeometry& g, int batch) {
  Doubles output = input;
  EXPECT_EQ(input.size(), index(batch, 0, 0, 0, g.channels, g.height, g.width));
  for (std::size_t i = 0; i < output.size(); ++i) {
    const std::size_t channel = i / static_cast<std::size_t>(g.height * g.width) % mean.size();
    output[i] = (input[i] - mean[channel]) / std::sqrt(variance[channel] + g.epsilon) * weight[channel] +
                bias[channel];
  }
  return output;
}

Doubles bn(const Doubles& input, const Doubles& weight, const Doubles& bias, const BnGeometry& g, int batch) {
  const BatchStatistics statistics = batch_statistics(input, g, batch);
  return normalise(input, statistics.mean, statistics.biased_variance, weight, bias, g, batch);
}

Doubles softmax(const Doubles& input, const MapGeometry& g, int batch) {
  Doubles output = input;
  for (int image = 0; image < batch; ++image) {
    for (int pixel = 0; pixel < g.pixels(); ++pixel) {
      double largest = -std::numeric_limits<double>::infinity();
      double sum = 0;
      const auto at = [&](int channel) { return index(image, channel, 0, pixel, g.channels, 1, g.pixels()); };
      for (int channel = 0; channel < g.channels; ++channel) largest = std::max(largest, input[at(channel)]);
      for (int channel = 0; channel < g.channels; ++channel) sum += std::exp(input[at(channel)] - largest);
      for (int channel = 0; channel < g.channels; ++channel) {
        output[at(channel)] = std::exp(input[at(channel)] - largest) / sum;
      }
    }
  }
  return output;
}

}  // namespace cnn::tests::reference
