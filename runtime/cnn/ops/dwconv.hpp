// Depthwise convolution: each channel has a kernel of its own. Any kernel, stride, padding and dilation.
#pragma once

#include "cnn/ops/conv.hpp"

namespace cnn {

/// output [.., C, out_height, out_width] = weight [C, 1, kh, kw] * input + bias [C], which may be empty; the
/// geometry's groups, in_channels and out_channels are C.
void dwconv(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
            const ConvGeometry& geometry, int batch);
void dwconv(Blocked output, ConstBlocked input, ConstFloats weight, const ConvGeometry& geometry, int batch);

void dwconv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                           const ConvGeometry& geometry, int batch);

/// Sums over the batch, image after image, in double; d_bias may be empty.
void dwconv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                            const ConvGeometry& geometry, int batch);
void dwconv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input,
                            const ConvGeometry& geometry, int batch);

}  // namespace cnn
