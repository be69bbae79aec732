// The matrix of columns of a convolution (im2col): a row for each channel and tap, a column for each output
// pixel. For conv's sources only.
#pragma once

#include "cnn/ops/conv.hpp"

namespace cnn {

/// A part of one block's matrix: channels [channel_begin, channel_end) of the input, and rows of the output,
/// numbered through the block's images.
struct ColumnRange {
  int channel_begin, channel_end;
  int row_begin, row_end;
};

/// columns [channels * taps][rows * out_width] from a block of the input; padding gives zeros.
void gather_columns(float* columns, const float* input, const ConvGeometry& geometry,
                    const ColumnRange& range);

/// The adjoint: adds each column's elements to the places of d_input, a block, that they were taken from.
void scatter_columns(float* d_input, const float* columns, const ConvGeometry& geometry,
                     const ColumnRange& range);

}  // namespace cnn
