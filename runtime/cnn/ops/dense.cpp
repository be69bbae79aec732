// Dense layers of many images as a BLAS's products of matrices: with NB = 1 images are rows of one matrix, else columns of
// each block's.
#include "cnn/ops/dense.hpp"

#include "cnn/core/sgemm.hpp"
#include "cnn/ops/dense/few_images.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

constexpr int kFeatures = 128;  // of a tile of the output or d_input
constexpr int kImages = 64;     // of a tile where NB = 1
constexpr int kWeightRows = 32;
constexpr int kWeightColumns = 512;

struct Range {
  int begin, end;

  int count() const { return end - begin; }
};

int pieces(int count, int piece) {
  return (count + piece - 1) / piece;
}
Range piece_of(int count, int piece, int index) {
  return {index * piece, std::min((index + 1) * piece, count)};
}

// Where image 0 of a tile is, how far the next is, and how many there are; a tile of several images is of NB
// = 1 and has them a stride of blocks apart, else it is a block.
struct Tile {
  int block, images;
};

int tile_count(int batch, int block) {
  return block == 1 ? pieces(batch, kImages) : block_count(batch, block);
}
Tile tile_at(int batch, int block, int index) {
  if (block != 1) return {index, images_in_block(batch, block, index)};
  return {index * kImages, piece_of(batch, kImages, index).count()};
}

// result [rows of `use`(weight)] = `use`(weight) * operand, plus bias if there is one.
void multiply(Blocked result, ConstBlocked operand, ConstFloats weight, const float* bias, Operand use,
              const DenseGeometry& g, int batch) {
  const bool forward = use == Operand::kAsStored;
  const int features = forward ? g.out : g.in;
  const int depth = forward ? g.in : g.out;
  const int parts = pieces(features, kFeatures);
  const Operand other = forward ? Operand::kTransposed : Operand::kAsStored;
  for_each_tile(tile_count(batch, g.block) * parts, [&](int task) {
    const Tile tile = tile_at(batch, g.block, task / parts);
    const Range range = piece_of(features, kFeatures, task % parts);
    const float* part_weight =
        weight.data() + (forward ? static_cast<std::ptrdiff_t>(range.begin) * g.in : range.begin);
    float* to = result.block(tile.block) + static_cast<std::ptrdiff_t>(range.begin) * g.block;
    const std::ptrdiff_t feature_step = g.block;
    const std::ptrdiff_t image_step = g.block == 1 ? result.stride : 1;
    if (bias != nullptr) {
      for (int image = 0; image < tile.images; ++image) {
        for (int i = 0; i < range.count(); ++i)
          to[i * feature_step + image * image_step] = bias[range.begin + i];
      }
    }
    const float beta = bias != nullptr ? 1.0f : 0.0f;
    if (g.block == 1) {
      sgemm(Operand::kAsStored, other, tile.images, range.count(), depth, operand.block(tile.block),
            static_cast<int>(operand.stride), part_weight, g.in, beta, to, static_cast<int>(result.stride));
    } else {
      sgemm(use, Operand::kAsStored, range.count(), tile.images, depth, part_weight, g.in,
            operand.block(tile.block), g.block, beta, to, g.block);
    }
  });
}

// Adds one tile of images to a part of d_weight, or overwrites it with them if beta is 0.
void add_weight_gradient(float* d_weight, ConstBlocked d_output, ConstBlocked input, const DenseGeometry& g,
                         const Tile& tile, const Range& rows, const Range& columns, float beta) {
  const float* d_out = d_output.block(tile.block) + static_cast<std::ptrdiff_t>(rows.begin) * g.block;
  const float* in = input.block(tile.block) + static_cast<std::ptrdiff_t>(columns.begin) * g.block;
  if (g.block == 1) {
    sgemm(Operand::kTransposed, Operand::kAsStored, rows.count(), columns.count(), tile.images, d_out,
          static_cast<int>(d_output.stride), in, static_cast<int>(input.stride), beta, d_weight, g.in);
  } else {
    sgemm(Operand::kAsStored, Operand::kTransposed, rows.count(), columns.count(), tile.images, d_out,
          g.block, in, g.block, beta, d_weight, g.in);
  }
}

bool has_few_images(const DenseGeometry& g, int batch) {
  return g.block == 1 && batch <= kFewImages;
}

}  // namespace

void dense(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
           const DenseGeometry& geometry, int batch, const Scratch& scratch) {
  if (has_few_images(geometry, batch)) return few_images::forward(output, input, weight, bias.data(), geometry, batch, scratch);
  multiply(output, input, weight, bias.data(), Operand::kAsStored, geometry, batch);
}

void dense(Blocked output, ConstBlocked input, ConstFloats weight, const DenseGeometry& geometry, int batch,
           const Scratch& scratch) {
  if (has_few_images(geometry, batch)) return few_images::forward(output, input, weight, nullptr, geometry, batch, scratch);
  multiply(output, input, weight, nullptr, Operand::kAsStored, geometry, batch);
}

void dense_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                          const DenseGeometry& geometry, int batch, const Scratch& scratch) {
  if (has_few_images(geometry, batch)) return few_images::backward_input(d_input, d_output, weight, geometry, batch, scratch);
  multiply(d_input, d_output, weight, nullptr, Operand::kTransposed, geometry, batch);
}

void dense_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const DenseGeometry& g,
                           int batch, const Scratch& scratch) {
  if (has_few_images(g, batch)) return few_images::backward_params(d_weight, d_output, input, g, batch, scratch);
  const int column_parts = pieces(g.in, kWeightColumns);
  for_each_tile(pieces(g.out, kWeightRows) * column_parts, [&](int task) {
    const Range rows = piece_of(g.out, kWeightRows, task / column_parts);
    const Range columns = piece_of(g.in, kWeightColumns, task % column_parts);
    float* part = d_weight.data() + static_cast<std::ptrdiff_t>(rows.begin) * g.in + columns.begin;
    for (int tile = 0; tile < tile_count(batch, g.block); ++tile) {
      add_weight_gradient(part, d_output, input, g, tile_at(batch, g.block, tile), rows, columns,
                          tile == 0 ? 0.0f : 1.0f);
    }
  });
}

void dense_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                           const DenseGeometry& g, int batch, const Scratch& scratch) {
  dense_backward_params(d_weight, d_output, input, g, batch, scratch);
  for_each_tile(pieces(g.out, kWeightRows), [&](int task) {
    const Range rows = piece_of(g.out, kWeightRows, task);
    for (int row = rows.begin; row < rows.end; ++row) {
      double sum = 0;
      for (int block = 0; block < block_count(batch, g.block); ++block) {
        const float* d_out = d_output.block(block) + static_cast<std::ptrdiff_t>(row) * g.block;
        for (int image = 0; image < images_in_block(batch, g.block, block); ++image) sum += d_out[image];
      }
      d_bias[row] = static_cast<float>(sum);
    }
  });
}

}  // namespace cnn
