// Convolution (cross-correlation, as every framework has it): any kernel, stride, padding, dilation, groups.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct ConvGeometry {
  int in_channels = 0, in_height = 0, in_width = 0;
  int out_channels = 0, out_height = 0, out_width = 0;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int pad_top = 0, pad_left = 0;  // bottom and right follow from the output's size
  int dilation_height = 1, dilation_width = 1;
  int groups = 1;
  int block = 1;
};

/// output [.., out_channels, out_height, out_width] = weight [out, in / groups, kh, kw] * input + bias [out].
void conv(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias, const ConvGeometry& geometry,
          int batch, const Scratch& scratch);
void conv(Blocked output, ConstBlocked input, ConstFloats weight, const ConvGeometry& geometry, int batch,
          const Scratch& scratch);

void conv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& geometry,
                         int batch, const Scratch& scratch);

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                          const ConvGeometry& geometry, int batch, const Scratch& scratch);
void conv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& geometry,
                          int batch, const Scratch& scratch);

}  // namespace cnn
