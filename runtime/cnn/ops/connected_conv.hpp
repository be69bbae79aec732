// Convolution by a connection table, as LeNet-5's C3 has it (LeCun et al. 1998, table I): an output channel
// reads some of the input's channels.
#pragma once

#include <bit>

#include "cnn/ops/conv.hpp"

namespace cnn {

inline constexpr int kMostConnectedInputs = 32;
inline constexpr int kMostConnectedOutputs = 256;

struct ConnectedConvGeometry {
  int in_channels = 0, in_height = 0, in_width = 0;
  int out_channels = 0, out_height = 0, out_width = 0;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int pad_top = 0, pad_left = 0;
  int dilation_height = 1, dilation_width = 1;
  int groups = 1;  // always
  int block = 1;
  std::uint32_t inputs[kMostConnectedOutputs] = {};  // of each output channel: bit i for input channel i

  /// The convolution that reads all channels, with zeros where the table has nothing.
  constexpr ConvGeometry whole() const {
    return {in_channels,     in_height,      in_width,      out_channels, out_height, out_width,
            kernel_height,   kernel_width,   stride_height, stride_width, pad_top,    pad_left,
            dilation_height, dilation_width, groups,        block};
  }
  /// Maps of weights before those of an output channel.
  constexpr int connections_before(int out) const {
    int count = 0;
    for (int channel = 0; channel < out; ++channel) count += std::popcount(inputs[channel]);
    return count;
  }
};

/// The whole convolution's weights, and what it needs itself.
constexpr ScratchSize connected_conv_scratch(const ConnectedConvGeometry& g, int batch) {
  ScratchSize size;
  for (const ScratchSize& pass : {conv_scratch(g.whole(), batch), conv_backward_input_scratch(g.whole(), batch),
                                  conv_backward_params_scratch(g.whole(), batch)}) {
    size.per_thread = std::max(size.per_thread, pass.per_thread);
    size.shared = std::max(size.shared, pass.shared);
  }
  size.shared += static_cast<std::size_t>(g.out_channels) * g.whole().depth();
  return size;
}

/// As conv; weight is [connections, kh, kw]: the first output channel's maps in the order of its inputs, then
/// the next one's.
void connected_conv(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
                    const ConnectedConvGeometry& geometry, int batch, const Scratch& scratch);
void connected_conv(Blocked output, ConstBlocked input, ConstFloats weight,
                    const ConnectedConvGeometry& geometry, int batch, const Scratch& scratch);

void connected_conv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                                   const ConnectedConvGeometry& geometry, int batch, const Scratch& scratch);

void connected_conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                                    const ConnectedConvGeometry& geometry, int batch, const Scratch& scratch);
void connected_conv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input,
                                    const ConnectedConvGeometry& geometry, int batch, const Scratch& scratch);

}  // namespace cnn
