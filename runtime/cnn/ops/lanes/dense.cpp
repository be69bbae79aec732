// Each row tile's weights are read along the depth. For the weights' gradient, the depth is the images: the inputs are
// turned over first, so that sixteen inputs of an image lie side by side.
#include "cnn/ops/lanes/dense.hpp"

#include "cnn/ops/lanes/products.hpp"

namespace cnn::lanes {

namespace {

// Rows of weights: one of them from the next, and the steps along the depth.
struct Matrix {
  int rows, depth;
  std::ptrdiff_t row, step;
};

void multiply(Blocked output, ConstBlocked input, const float* weight, const float* bias, const Matrix& matrix, int batch) {
  const int in_tile = std::max(units_in_tile(matrix.rows, matrix.depth), std::min(matrix.rows, 2 * kMostRows));
  for_each_range(batch, matrix.rows, in_tile, [&](int block, int begin, int end) {
    for_each_row_tile<kMostRows>(end - begin, [&](auto rows, int first) {
      constexpr int kRows = rows;
      const int row = begin + first;
      Images sums[1][kRows];
      begin_sums(sums, bias != nullptr ? bias + row : nullptr);
      add_products(sums, {.source = input.block(block),
                          .weight = weight + row * matrix.row,
                          .source_step = kImages,
                          .weight_step = matrix.step,
                          .row = matrix.row,
                          .count = matrix.depth});
      float* to = output.block(block) + static_cast<std::ptrdiff_t>(row) * kImages;
      store_rows(to, kImages, sums[0]);
    });
  });
}

// [in][16] of each block becomes [panel of 16 inputs][image][16].
void turn_over(float* panels, ConstBlocked input, int in, int batch) {
  const int blocks = block_count(batch, kImages);
  const int count = (in + kDenseColumns - 1) / kDenseColumns;
  for_each_range(batch, count, units_in_tile(count, 64), [&](int block, int begin, int end) {
    for (int panel = begin; panel < end; ++panel) {
      float* to = panels + (static_cast<std::ptrdiff_t>(panel) * blocks + block) * kImages * kDenseColumns;
      for (int part = 0; part < kDenseColumns; part += kLanes) {
        for (int half = 0; half < kImages; half += kLanes) {
          Vector rows[kLanes];
          for (int i = 0; i < kLanes; ++i) {
            const int feature = std::min(panel * kDenseColumns + part + i, in - 1);
            rows[i] = load(input.block(block) + static_cast<std::ptrdiff_t>(feature) * kImages + half);
          }
          transpose(rows);
          for (int i = 0; i < kLanes; ++i) store(to + (half + i) * kDenseColumns + part, rows[i]);
        }
      }
    }
  });
}

// The gradients of weights [row, row + kRows) of a panel's inputs, of which `columns` exist.
template <int kRows>
void sum_over_images(float* to, const DenseGeometry& g, ConstBlocked d_output, const float* panel, int row, int columns,
                     int batch) {
  Images sums[1][kRows];
  begin_sums(sums, nullptr);
  for (int block = 0; block < block_count(batch, kImages); ++block) {
    add_products(sums, {.source = panel + static_cast<std::ptrdiff_t>(block) * kImages * kDenseColumns,
                        .weight = d_output.block(block) + static_cast<std::ptrdiff_t>(row) * kImages,
                        .source_step = kDenseColumns,
                        .weight_step = 1,
                        .row = kImages,
                        .count = images_in_block(batch, kImages, block)});
  }
  if (columns == kDenseColumns) return store_rows(to, g.in, sums[0]);
  float values[kRows * kDenseColumns];
  store_rows(values, kDenseColumns, sums[0]);
  for (int i = 0; i < kRows; ++i) std::copy_n(values + i * kDenseColumns, columns, to + static_cast<std::ptrdiff_t>(i) * g.in);
}

}  // namespace

void dense(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias, const DenseGeometry& g, int batch) {
  multiply(output, input, weight.data(), bias.data(), {g.out, g.in, g.in, 1}, batch);
}
void dense(Blocked output, ConstBlocked input, ConstFloats weight, const DenseGeometry& g, int batch) {
  multiply(output, input, weight.data(), nullptr, {g.out, g.in, g.in, 1}, batch);
}

void dense_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const DenseGeometry& g, int batch) {
  multiply(d_input, d_output, weight.data(), nullptr, {g.in, g.out, 1, g.in}, batch);
}

void dense_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const DenseGeometry& g, int batch,
                           const Scratch& scratch) {
  turn_over(scratch.shared, input, g.in, batch);
  const int panels = (g.in + kDenseColumns - 1) / kDenseColumns;
  const std::ptrdiff_t panel_floats = static_cast<std::ptrdiff_t>(block_count(batch, kImages)) * kImages * kDenseColumns;
  for_each_tile(panels, [&](int panel) {
    const int column = panel * kDenseColumns;
    for_each_row_tile<kMostRows>(g.out, [&](auto rows, int first) {
      sum_over_images<rows>(d_weight.data() + static_cast<std::ptrdiff_t>(first) * g.in + column, g, d_output,
                            scratch.shared + panel * panel_floats, first, std::min(kDenseColumns, g.in - column), batch);
    });
  });
}

void dense_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                           const DenseGeometry& g, int batch, const Scratch& scratch) {
  lanes::dense_backward_params(d_weight, d_output, input, g, batch, scratch);
  sum_images(d_bias, d_output, g.out, batch);
}

}  // namespace cnn::lanes
