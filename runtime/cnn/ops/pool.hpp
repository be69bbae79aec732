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
  int pad_top = 0, pad_left = 0;  // bottom and right: avgpool counts as much padding there, and no more
  int block = 1;
  bool count_include_pad = true;
};

}  // namespace cnn
