// Convolution as products with tiles of columns, which stay in the cache; 1x1 convolutions multiply the input
// itself.
#include "cnn/ops/conv.hpp"

#include "cnn/core/sgemm.hpp"
#include "cnn/core/team.hpp"
#include "cnn/ops/columns.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

// Distances in a block: of two channels of the output and of the input.
int out_row(const ConvGeometry& g) {
  return g.block * g.out_height * g.out_width;
}
int in_row(const ConvGeometry& g) {
  return g.block * g.in_height * g.in_width;
}
std::ptrdiff_t weight_count(const ConvGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.out_channels) * g.depth();
}

// The rows of the output of all blocks, cut into tiles of at most `rows`; a tile lies in one block.
struct RowTiles {
  int rows, in_block, count;
  int batch, block, height;

  RowTiles(const ConvGeometry& g, int depth, int batch)
      : rows(conv_tile_rows(g, g.pointwise() ? 128 : depth)),
        batch(batch),
        block(g.block),
        height(g.out_height) {
    in_block = (block * height + rows - 1) / rows;
    rows = (block * height + in_block - 1) / in_block;  // as equal as can be
    in_block = (block * height + rows - 1) / rows;
    const int last = block_count(batch, block) - 1;
    count = last * in_block + (images_in_block(batch, block, last) * height + rows - 1) / rows;
  }

  int block_of(int tile) const { return tile / in_block; }
  int begin(int tile) const { return tile % in_block * rows; }
  int end(int tile) const {
    return std::min(begin(tile) + rows, images_in_block(batch, block, block_of(tile)) * height);
  }
};

// A part of the columns' matrix as sgemm takes it.
struct Columns {
  const float* data;
  int distance;  // of two rows
};

// Gathers into `scratch` unless the input has the columns already.
Columns columns_of(const float* input, const ConvGeometry& g, const ColumnRange& range, float* scratch) {
  if (g.pointwise()) {
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(range.channel_begin) * in_row(g);
    return {input + first + static_cast<std::ptrdiff_t>(range.row_begin) * g.out_width, in_row(g)};
  }
  gather_columns(scratch, input, g, range);
  return {scratch, (range.row_end - range.row_begin) * g.out_width};
}

void forward(Blocked output, ConstBlocked input, ConstFloats weight, const float* bias, const ConvGeometry& g,
             int batch, const Scratch& scratch) {
  const RowTiles tiles(g, g.depth(), batch);
  const int group_in = g.in_channels / g.groups;
  const int group_out = g.out_channels / g.groups;
  for_each_tile(tiles.count * g.groups, [&](int task) {
    const int tile = task / g.groups;
    const int group = task % g.groups;
    const int block = tiles.block_of(tile);
    const ColumnRange range{group * group_in, (group + 1) * group_in, tiles.begin(tile), tiles.end(tile)};
    const int count = (range.row_end - range.row_begin) * g.out_width;
    const Columns columns = columns_of(input.block(block), g, range, scratch.thread(team_rank()));
    float* out = output.block(block) + static_cast<std::ptrdiff_t>(group) * group_out * out_row(g) +
                 static_cast<std::ptrdiff_t>(range.row_begin) * g.out_width;
    if (bias != nullptr) {
      for (int channel = 0; channel < group_out; ++channel) {
        std::fill_n(out + static_cast<std::ptrdiff_t>(channel) * out_row(g), count,
                    bias[group * group_out + channel]);
      }
    }
    sgemm(Operand::kAsStored, Operand::kAsStored, group_out, count, g.depth(),
          weight.data() + static_cast<std::ptrdiff_t>(group) * group_out * g.depth(), g.depth(), columns.data,
          columns.distance, bias != nullptr ? 1.0f : 0.0f, out, out_row(g));
  });
}

// d_input's channels and images of a task of conv_backward_input.
struct InputPart {
  int block, group, channel_begin, channel_end, image_begin, image_end;
};

// d_columns = weight^T * d_output, scattered; the task owns the images, so nobody else adds to the same
// places.
void backward_input_part(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g,
                         const InputPart& part, int rows, float* columns) {
  const int group_in = g.in_channels / g.groups;
  const int group_out = g.out_channels / g.groups;
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(g.in_height) * g.in_width;
  for (int channel = part.channel_begin; channel < part.channel_end; ++channel) {
    std::fill_n(d_input.block(part.block) +
                    (static_cast<std::ptrdiff_t>(channel) * g.block + part.image_begin) * plane,
                (part.image_end - part.image_begin) * plane, 0.0f);
  }
  const int depth = (part.channel_end - part.channel_begin) * g.taps();
  const float* part_weight = weight.data() + static_cast<std::ptrdiff_t>(part.group) * group_out * g.depth() +
                             (part.channel_begin - part.group * group_in) * g.taps();
  const float* part_output =
      d_output.block(part.block) + static_cast<std::ptrdiff_t>(part.group) * group_out * out_row(g);
  const int end = part.image_end * g.out_height;
  for (int begin = part.image_begin * g.out_height; begin < end; begin += rows) {
    const ColumnRange range{part.channel_begin, part.channel_end, begin, std::min(begin + rows, end)};
    const int count = (range.row_end - begin) * g.out_width;
    sgemm(Operand::kTransposed, Operand::kAsStored, depth, count, group_out, part_weight, g.depth(),
          part_output + static_cast<std::ptrdiff_t>(begin) * g.out_width, out_row(g), 0.0f, columns, count);
    scatter_columns(d_input.block(part.block), columns, g, range);
  }
}

// d_input = weight^T * d_output, with no columns between.
void backward_input_pointwise(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                              const ConvGeometry& g, int batch) {
  const RowTiles tiles(g, g.depth(), batch);
  const int group_in = g.in_channels / g.groups;
  const int group_out = g.out_channels / g.groups;
  for_each_tile(tiles.count * g.groups, [&](int task) {
    const int tile = task / g.groups;
    const int group = task % g.groups;
    const int block = tiles.block_of(tile);
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(tiles.begin(tile)) * g.out_width;
    sgemm(Operand::kTransposed, Operand::kAsStored, group_in,
          (tiles.end(tile) - tiles.begin(tile)) * g.out_width, group_out,
          weight.data() + static_cast<std::ptrdiff_t>(group) * group_out * group_in, group_in,
          d_output.block(block) + static_cast<std::ptrdiff_t>(group) * group_out * out_row(g) + first,
          out_row(g), 0.0f,
          d_input.block(block) + static_cast<std::ptrdiff_t>(group) * group_in * in_row(g) + first,
          in_row(g));
  });
}

// One slot's share of the gradient of the weights that read channels [channel_begin, channel_end).
void weight_gradient(float* d_weight, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g,
                     const RowTiles& tiles, int slot, int group, ColumnRange range, float* scratch) {
  const int group_out = g.out_channels / g.groups;
  const int slots = conv_slots(g);
  const int depth = (range.channel_end - range.channel_begin) * g.taps();
  float* part = d_weight + static_cast<std::ptrdiff_t>(group) * group_out * g.depth() +
                (range.channel_begin - group * (g.in_channels / g.groups)) * g.taps();
  const int first = static_cast<int>(static_cast<std::int64_t>(tiles.count) * slot / slots);
  const int last = static_cast<int>(static_cast<std::int64_t>(tiles.count) * (slot + 1) / slots);
  if (first == last) {
    for (int row = 0; row < group_out; ++row) {
      std::fill_n(part + static_cast<std::ptrdiff_t>(row) * g.depth(), depth, 0.0f);
    }
  }
  for (int tile = first; tile < last; ++tile) {
    const int block = tiles.block_of(tile);
    range.row_begin = tiles.begin(tile);
    range.row_end = tiles.end(tile);
    const Columns columns = columns_of(input.block(block), g, range, scratch);
    sgemm(Operand::kAsStored, Operand::kTransposed, group_out, depth,
          (range.row_end - range.row_begin) * g.out_width,
          d_output.block(block) + static_cast<std::ptrdiff_t>(group) * group_out * out_row(g) +
              static_cast<std::ptrdiff_t>(range.row_begin) * g.out_width,
          out_row(g), columns.data, columns.distance, tile == first ? 0.0f : 1.0f, part, g.depth());
  }
}

// Adds the slots behind the first, which is d_weight itself, in order.
void merge_slots(Floats d_weight, const ConvGeometry& g, const float* slots) {
  const std::ptrdiff_t weights = weight_count(g);
  const int tiles = static_cast<int>((weights + kTileElements - 1) / kTileElements);
  for_each_tile(tiles, [&](int tile) {
    const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(tile) * kTileElements;
    const std::ptrdiff_t end = std::min(begin + kTileElements, weights);
    for (int slot = 1; slot < conv_slots(g); ++slot) {
      const float* __restrict from = slots + (slot - 1) * weights;
      float* __restrict to = d_weight.data();
      for (std::ptrdiff_t i = begin; i < end; ++i) to[i] += from[i];
    }
  });
}

}  // namespace

void conv(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
          const ConvGeometry& geometry, int batch, const Scratch& scratch) {
  forward(output, input, weight, bias.data(), geometry, batch, scratch);
}

void conv(Blocked output, ConstBlocked input, ConstFloats weight, const ConvGeometry& geometry, int batch,
          const Scratch& scratch) {
  forward(output, input, weight, nullptr, geometry, batch, scratch);
}

void conv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g,
                         int batch, const Scratch& scratch) {
  if (g.pointwise()) return backward_input_pointwise(d_input, d_output, weight, g, batch);
  const int group_in = g.in_channels / g.groups;
  const int chunk = conv_chunk(g);
  const int chunks = (group_in + chunk - 1) / chunk;
  const int rows = conv_tile_rows(g, chunk * g.taps());
  const int images = std::clamp(rows / g.out_height, 1, g.block);  // of a task: several where maps are tiny
  const int parts = (g.block + images - 1) / images;
  for_each_tile(block_count(batch, g.block) * parts * g.groups * chunks, [&](int task) {
    InputPart part{};
    part.group = task / chunks % g.groups;
    part.channel_begin = part.group * group_in + task % chunks * chunk;
    part.channel_end = std::min(part.channel_begin + chunk, (part.group + 1) * group_in);
    part.block = task / chunks / g.groups / parts;
    part.image_begin = task / chunks / g.groups % parts * images;
    part.image_end = std::min(part.image_begin + images, images_in_block(batch, g.block, part.block));
    if (part.image_begin >= part.image_end) return;
    backward_input_part(d_input, d_output, weight, g, part, rows, scratch.thread(team_rank()));
  });
}

void conv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const ConvGeometry& g,
                          int batch, const Scratch& scratch) {
  const int group_in = g.in_channels / g.groups;
  const int chunk = conv_chunk(g);
  const int chunks = (group_in + chunk - 1) / chunk;
  const RowTiles tiles(g, chunk * g.taps(), batch);
  for_each_tile(conv_slots(g) * g.groups * chunks, [&](int task) {
    const int slot = task / chunks / g.groups;
    const int group = task / chunks % g.groups;
    const int begin = group * group_in + task % chunks * chunk;
    float* partial = slot == 0 ? d_weight.data() : scratch.shared + (slot - 1) * weight_count(g);
    weight_gradient(partial, d_output, input, g, tiles, slot, group,
                    {begin, std::min(begin + chunk, (group + 1) * group_in), 0, 0},
                    scratch.thread(team_rank()));
  });
  if (conv_slots(g) > 1) merge_slots(d_weight, g, scratch.shared);
}

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                          const ConvGeometry& g, int batch, const Scratch& scratch) {
  conv_backward_params(d_weight, d_output, input, g, batch, scratch);
  sum_channels(d_bias, d_output, {g.out_channels, g.out_height, g.out_width, g.block}, batch);
}

}  // namespace cnn
