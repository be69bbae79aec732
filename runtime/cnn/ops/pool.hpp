// The geometry of maxpool and avgpool: windows over each channel, which may hang over the edges.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

struct PoolGeometry {
  int channels = 0;
  int in_height = 0, in_width = 0;
  int out_height = 0, out_width = 0;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  // Bottom and right padding follow from the output's size: windows end with the input. With
  // count_include_pad avgpool counts as much padding there as above and left, and no more.
  int pad_top = 0, pad_left = 0;
  int block = 1;
  bool count_include_pad = true;
};

}  // namespace cnn
