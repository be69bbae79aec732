// Batch normalisation, a channel at a time: one thread sees all of a channel, so sums have one order.
#include "cnn/ops/bn.hpp"

#include <array>
#include <cmath>

#include "cnn/ops/channel_map.hpp"
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

// Sums of what vectors() gives for each eight elements, and of its `one` for the rest: in floats over a few elements, then in
// double, in one order. Four sums at a time, since an addition has to wait for the one before it.
template <int kSums, class Vectors, class One>
std::array<double, kSums> sum_vectors(std::ptrdiff_t count, Vectors&& vectors, One&& one) {
  constexpr int kChains = 4;
  constexpr std::ptrdiff_t kPiece = 16 * kChains * kLanes;
  std::array<double, kSums> sums = {};
  const std::ptrdiff_t whole = count / kLanes * kLanes;
  for (std::ptrdiff_t begin = 0; begin < whole; begin += kPiece) {
    const std::ptrdiff_t end = std::min(begin + kPiece, whole);
    Vector lanes[kChains][kSums] = {};
    const auto add = [&](Vector (&to)[kSums], std::ptrdiff_t i) {
      const std::array<Vector, kSums> terms = vectors(i);
      for (int sum = 0; sum < kSums; ++sum) to[sum] += terms[sum];
    };
    std::ptrdiff_t i = begin;
    for (; i + kChains * kLanes <= end; i += kChains * kLanes) {
      for (int chain = 0; chain < kChains; ++chain) add(lanes[chain], i + chain * kLanes);
    }
    for (; i < end; i += kLanes) add(lanes[0], i);
    for (int sum = 0; sum < kSums; ++sum) {
      const Vector all = (lanes[0][sum] + lanes[1][sum]) + (lanes[2][sum] + lanes[3][sum]);
      for (int lane = 0; lane < kLanes; ++lane) sums[sum] += static_cast<double>(all[lane]);
    }
  }
  for (std::ptrdiff_t i = whole; i < count; ++i) {
    const std::array<float, kSums> terms = one(i);
    for (int sum = 0; sum < kSums; ++sum) sums[sum] += static_cast<double>(terms[sum]);
  }
  return sums;
}

Moments moments_of(const float* elements, std::ptrdiff_t count) {
  Moments result;
  result.count = static_cast<double>(count);
  result.mean = sum_vectors<1>(
                    count, [=](std::ptrdiff_t i) { return std::array{load(elements + i)}; },
                    [=](std::ptrdiff_t i) { return std::array{elements[i]}; })[0] /
                result.count;
  // From a mean as a float; what that leaves out is corrected (Chan, Golub & LeVeque 1983, equation 1.7).
  const auto mean = static_cast<float>(result.mean);
  const auto [squares, rest] = sum_vectors<2>(
      count,
      [=](std::ptrdiff_t i) {
        const Vector difference = load(elements + i) - mean;
        return std::array{difference * difference, difference};
      },
      [=](std::ptrdiff_t i) {
        const float difference = elements[i] - mean;
        return std::array{difference * difference, difference};
      });
  result.squares = std::max(0.0, squares - rest * rest / result.count);
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

namespace {

// A channel's part of `saved`.
float& part(const ChannelTable& saved, const BnGeometry& g, int kind, int channel) {
  return saved.kind(kind, g.channels)[channel];
}
float part(const ConstChannelTable& saved, const BnGeometry& g, int kind, int channel) {
  return saved.kind(kind, g.channels)[channel];
}

// The statistics of a channel and what is kept of them.
void find_statistics(const ChannelTable& saved, ConstBlocked input, ConstFloats weight, ConstFloats bias, Floats running_mean,
                     Floats running_var, const BnGeometry& g, int batch, int channel) {
  const Moments moments = channel_moments(input, g, batch, channel);
  const double variance = moments.squares / moments.count;
  const double unbiased = moments.count > 1 ? moments.squares / (moments.count - 1) : variance;
  const double inverse = 1 / std::sqrt(variance + g.epsilon);
  const double scale = weight[channel] * inverse;
  part(saved, g, kBnScale, channel) = static_cast<float>(scale);
  part(saved, g, kBnShift, channel) = static_cast<float>(bias[channel] - moments.mean * scale);
  part(saved, g, kBnMean, channel) = static_cast<float>(moments.mean);
  part(saved, g, kBnInverse, channel) = static_cast<float>(inverse);
  const double decay = g.decay;
  running_mean[channel] = static_cast<float>(decay * running_mean[channel] + (1 - decay) * moments.mean);
  running_var[channel] = static_cast<float>(decay * running_var[channel] + (1 - decay) * unbiased);
}

// The gradient as it comes through the activation: where the input is scaled and shifted to inside its bounds. relu's is 0
// at 0, as PyTorch has it.
struct Passing {
  float scale, shift, least, most;

  Passing(const ConstChannelTable& saved, Activation activation, const BnGeometry& g, int channel)
      : scale(part(saved, g, kBnScale, channel)),
        shift(part(saved, g, kBnShift, channel)),
        least(least_of(activation)),
        most(most_of(activation)) {}

  Vector operator()(Vector d_output, Vector input) const {
    const Vector output = input * scale + shift;
    const Vector above = output > broadcast(least) ? d_output : Vector{};
    return output < broadcast(most) ? above : Vector{};
  }
  float operator()(float d_output, float input) const {
    const float output = input * scale + shift;
    return output > least && output < most ? d_output : 0;
  }
};

struct PassingAll {
  Vector operator()(Vector d_output, Vector) const { return d_output; }
  float operator()(float d_output, float) const { return d_output; }
};

struct ChannelSums {
  float d_bias, d_weight;
};

// Calls work(pass) with the activation's Passing.
template <class Work>
void with_activation(const ConstChannelTable& saved, Activation activation, const BnGeometry& g, int channel, Work&& work) {
  if (activation == Activation::kNone) return work(PassingAll());
  work(Passing(saved, activation, g, channel));
}

template <class Pass>
ChannelSums channel_sums(ConstBlocked d_output, ConstBlocked input, const ConstChannelTable& saved, const BnGeometry& g, int batch,
                         int channel, const Pass& pass) {
  const float mean = part(saved, g, kBnMean, channel);
  double sum = 0;
  double product = 0;
  for (int block = 0; block < block_count(batch, g.block); ++block) {
    const Row row = row_of(g, batch, block, channel);
    const float* d_out = d_output.block(block) + row.offset;
    const float* in = input.block(block) + row.offset;
    const auto [row_sum, row_product] = sum_vectors<2>(
        row.count,
        [=](std::ptrdiff_t i) {
          // The next image's: too far away for the processor to see.
          __builtin_prefetch(in + i + input.stride);
          __builtin_prefetch(d_out + i + d_output.stride);
          const Vector value = load(in + i);
          const Vector d = pass(load(d_out + i), value);
          return std::array{d, d * (value - mean)};
        },
        [=](std::ptrdiff_t i) {
          const float d = pass(d_out[i], in[i]);
          return std::array{d, d * (in[i] - mean)};
        });
    sum += row_sum;
    product += row_product;
  }
  return {static_cast<float>(sum), static_cast<float>(product * part(saved, g, kBnInverse, channel))};
}

// d_input of a channel from its sums.
template <class Pass>
void channel_gradient(const Result& d_input, ConstBlocked d_output, ConstBlocked input, const ConstChannelTable& saved,
                      const BnGeometry& g, int batch, int channel, const ChannelSums& sums, const Pass& pass) {
  const double elements = element_count(g, batch);
  const float mean = part(saved, g, kBnMean, channel);
  const float inverse = part(saved, g, kBnInverse, channel);
  const float scale = part(saved, g, kBnScale, channel);
  const auto mean_gradient = static_cast<float>(sums.d_bias / elements);
  const auto slope = static_cast<float>(inverse * (sums.d_weight / elements));
  for (int block = 0; block < block_count(batch, g.block); ++block) {
    const Row row = row_of(g, batch, block, channel);
    const float* d_out = d_output.block(block) + row.offset;
    const float* in = input.block(block) + row.offset;
    float* d_in = d_input.map.block(block) + row.offset;
    std::ptrdiff_t i = 0;
    for (; i + kLanes <= row.count; i += kLanes) {
      __builtin_prefetch(in + i + input.stride);
      __builtin_prefetch(d_out + i + d_output.stride);
      __builtin_prefetch(d_in + i + d_input.map.stride, 1);
      const Vector value = load(in + i);
      const Vector d = scale * (pass(load(d_out + i), value) - mean_gradient - (value - mean) * slope);
      store(d_in + i, d_input.add ? load(d_in + i) + d : d);
    }
    for (; i < row.count; ++i) {
      const float d = scale * (pass(d_out[i], in[i]) - mean_gradient - (in[i] - mean) * slope);
      d_in[i] = d_input.add ? d_in[i] + d : d;
    }
  }
}

}  // namespace

void bn(Blocked output, const ChannelTable& saved, ConstBlocked input, ConstFloats weight, ConstFloats bias,
        Floats running_mean, Floats running_var, Activation activation, const BnGeometry& g, int batch) {
  for_each_tile(g.channels, [&](int channel) {
    find_statistics(saved, input, weight, bias, running_mean, running_var, g, batch, channel);
    const ChannelMap map(part(saved, g, kBnScale, channel), part(saved, g, kBnShift, channel), activation);
    for (int block = 0; block < block_count(batch, g.block); ++block) {
      const Row row = row_of(g, batch, block, channel);
      const float* in = input.block(block) + row.offset;
      float* out = output.block(block) + row.offset;
      for (std::ptrdiff_t i = 0; i < row.count; ++i) out[i] = map(in[i]);
    }
  });
}

void bn_statistics(const ChannelTable& saved, ConstBlocked input, ConstFloats weight, ConstFloats bias, Floats running_mean,
                   Floats running_var, const BnGeometry& g, int batch) {
  for_each_tile(g.channels, [&](int channel) {
    find_statistics(saved, input, weight, bias, running_mean, running_var, g, batch, channel);
  });
}

void bn_backward(const Result& d_input, Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                 const ConstChannelTable& saved, Activation activation, const BnGeometry& g, int batch) {
  for_each_tile(g.channels, [&](int channel) {
    with_activation(saved, activation, g, channel, [&](auto&& pass) {
      const ChannelSums sums = channel_sums(d_output, input, saved, g, batch, channel, pass);
      d_bias[channel] = sums.d_bias;
      d_weight[channel] = sums.d_weight;
      channel_gradient(d_input, d_output, input, saved, g, batch, channel, sums, pass);
    });
  });
}

void bn_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input, const ConstChannelTable& saved,
                        Activation activation, const BnGeometry& g, int batch) {
  for_each_tile(g.channels, [&](int channel) {
    with_activation(saved, activation, g, channel, [&](auto&& pass) {
      const ChannelSums sums = channel_sums(d_output, input, saved, g, batch, channel, pass);
      d_bias[channel] = sums.d_bias;
      d_weight[channel] = sums.d_weight;
    });
  });
}

void bn_affine(const ChannelTable& saved, ConstFloats weight, ConstFloats bias, ConstFloats running_mean, ConstFloats running_var,
               const BnGeometry& g) {
  for_each_tile((g.channels + 1023) / 1024, [&](int tile) {
    for (int channel = tile * 1024; channel < std::min(g.channels, (tile + 1) * 1024); ++channel) {
      const double scale = weight[channel] / std::sqrt(static_cast<double>(running_var[channel]) + g.epsilon);
      part(saved, g, kBnScale, channel) = static_cast<float>(scale);
      part(saved, g, kBnShift, channel) = static_cast<float>(bias[channel] - running_mean[channel] * scale);
    }
  });
}

void bn_inference(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias, ConstFloats running_mean,
                  ConstFloats running_var, Activation activation, const BnGeometry& g, int batch) {
  const float least = least_of(activation);
  const float most = most_of(activation);
  for_each_row(g, batch, [&](int block, int channel, std::ptrdiff_t offset, std::ptrdiff_t count) {
    const float scale = running_scale(weight[channel], running_var[channel], g);
    const float mean = running_mean[channel];
    const float shift = bias[channel];
    const float* in = input.block(block) + offset;
    float* out = output.block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const float value = (in[i] - mean) * scale + shift;
      const float raised = least > value ? least : value;
      out[i] = most < raised ? most : raised;
    }
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
