// Batch normalisation, a channel at a time: one thread sees all of a channel, so sums have one order.
#include "cnn/ops/bn.hpp"

#include <cmath>

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

// A channel's elements in one block: those of images that exist lie side by side.
struct Row {
  std::ptrdiff_t offset, count;
};

Row row_of(const BnGeometry& g, int batch, int block, int channel) {
  const std::ptrdiff_t pixels = static_cast<std::ptrdiff_t>(g.height) * g.width;
  return {channel * g.block * pixels, images_in_block(batch, g.block, block) * pixels};
}

double element_count(const BnGeometry& g, int batch) {
  return static_cast<double>(batch) * g.height * g.width;
}

MapGeometry map_of(const BnGeometry& g) {
  return {g.channels, g.height, g.width, g.block};
}

// A mean and the sum of squared differences from it.
struct Moments {
  double count = 0, mean = 0, squares = 0;

  // Chan, Golub & LeVeque (1979).
  void merge(const Moments& other) {
    const double total = count + other.count;
    const double delta = other.mean - mean;
    mean += delta * other.count / total;
    squares += other.squares + delta * delta * count * other.count / total;
    count = total;
  }
};

Moments moments_of(const float* elements, std::ptrdiff_t count) {
  Moments result;
  result.count = static_cast<double>(count);
  result.mean = sum_terms(count, [=](std::ptrdiff_t i) { return elements[i]; }) / result.count;
  result.squares = sum_terms(count, [=, mean = result.mean](std::ptrdiff_t i) {
    const double difference = elements[i] - mean;
    return difference * difference;
  });
  return result;
}

Moments channel_moments(ConstBlocked input, const BnGeometry& g, int batch, int channel) {
  constexpr std::ptrdiff_t kPiece = 1 << 14;  // read twice, so it should stay in the cache
  Moments total;
  for (int block = 0; block < block_count(batch, g.block); ++block) {
    const Row row = row_of(g, batch, block, channel);
    for (std::ptrdiff_t begin = 0; begin < row.count; begin += kPiece) {
      total.merge(moments_of(input.block(block) + row.offset + begin, std::min(kPiece, row.count - begin)));
    }
  }
  return total;
}

// out = (in - mean) * scale + shift, exact where in is the mean.
void normalise(float* out, const float* in, std::ptrdiff_t count, float mean, float scale, float shift) {
  for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = (in[i] - mean) * scale + shift;
}

float running_scale(float weight, float running_var, const BnGeometry& g) {
  return static_cast<float>(weight / std::sqrt(static_cast<double>(running_var) + g.epsilon));
}

// Calls work(block, channel, offset, count) for each channel's row in each block, as tiles of the team.
template <class Work>
void for_each_row(const BnGeometry& g, int batch, Work&& work) {
  for_each_channels(map_of(g), batch, [&](int block, int begin, int end, int) {
    for (int channel = begin; channel < end; ++channel) {
      const Row row = row_of(g, batch, block, channel);
      work(block, channel, row.offset, row.count);
    }
  });
}

}  // namespace

void bn(Blocked output, Floats saved, ConstBlocked input, ConstFloats weight, ConstFloats bias,
        Floats running_mean, Floats running_var, const BnGeometry& g, int batch) {
  for_each_tile(g.channels, [&](int channel) {
    const Moments moments = channel_moments(input, g, batch, channel);
    const double variance = moments.squares / moments.count;
    const double unbiased = moments.count > 1 ? moments.squares / (moments.count - 1) : variance;
    const double inverse = 1 / std::sqrt(variance + g.epsilon);
    const auto mean = static_cast<float>(moments.mean);
    saved[channel] = mean;
    saved[g.channels + channel] = static_cast<float>(inverse);
    const double decay = g.decay;
    running_mean[channel] = static_cast<float>(decay * running_mean[channel] + (1 - decay) * moments.mean);
    running_var[channel] = static_cast<float>(decay * running_var[channel] + (1 - decay) * unbiased);
    const auto scale = static_cast<float>(weight[channel] * inverse);
    for (int block = 0; block < block_count(batch, g.block); ++block) {
      const Row row = row_of(g, batch, block, channel);
      normalise(output.block(block) + row.offset, input.block(block) + row.offset, row.count, mean, scale,
                bias[channel]);
    }
  });
}

void bn_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                        ConstFloats saved, const BnGeometry& g, int batch) {
  for_each_tile(g.channels, [&](int channel) {
    const float mean = saved[channel];
    double sum = 0;
    double product = 0;
    for (int block = 0; block < block_count(batch, g.block); ++block) {
      const Row row = row_of(g, batch, block, channel);
      const float* d_out = d_output.block(block) + row.offset;
      const float* in = input.block(block) + row.offset;
      sum += sum_terms(row.count, [=](std::ptrdiff_t i) { return d_out[i]; });
      product += sum_terms(row.count, [=](std::ptrdiff_t i) { return d_out[i] * (in[i] - mean); });
    }
    d_bias[channel] = static_cast<float>(sum);
    d_weight[channel] = static_cast<float>(product * saved[g.channels + channel]);
  });
}

void bn_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input, ConstFloats saved,
                       ConstFloats weight, ConstFloats /*bias*/, ConstFloats d_weight, ConstFloats d_bias,
                       const BnGeometry& g, int batch) {
  const double elements = element_count(g, batch);
  for_each_row(g, batch, [&](int block, int channel, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float mean = saved[channel];
    const float inverse = saved[g.channels + channel];
    const float scale = weight[channel] * inverse;
    const auto mean_gradient = static_cast<float>(d_bias[channel] / elements);
    const auto slope = static_cast<float>(inverse * (d_weight[channel] / elements));
    const float* d_out = d_output.block(block) + offset;
    const float* in = input.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i)
      d_in[i] = scale * (d_out[i] - mean_gradient - (in[i] - mean) * slope);
  });
}

void bn_inference(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
                  ConstFloats running_mean, ConstFloats running_var, const BnGeometry& g, int batch) {
  for_each_row(g, batch, [&](int block, int channel, std::ptrdiff_t offset, std::ptrdiff_t count) {
    normalise(output.block(block) + offset, input.block(block) + offset, count, running_mean[channel],
              running_scale(weight[channel], running_var[channel], g), bias[channel]);
  });
}

void bn_inference_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                                 ConstFloats /*bias*/, ConstFloats /*running_mean*/, ConstFloats running_var,
                                 const BnGeometry& g, int batch) {
  for_each_row(g, batch, [&](int block, int channel, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float scale = running_scale(weight[channel], running_var[channel], g);
    const float* d_out = d_output.block(block) + offset;
    float* d_in = d_input.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) d_in[i] = d_out[i] * scale;
  });
}

}  // namespace cnn
