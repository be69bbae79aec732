// Products of panels as convolutions have them, but for one operand, the weights, which are used where they are.
#include "cnn/ops/dense/few_images.hpp"

#include <algorithm>

#include "cnn/core/ahead.hpp"
#include "cnn/core/multiply_panels.hpp"
#include "cnn/core/team.hpp"

namespace cnn::few_images {

namespace {

constexpr int kRowTask = 96;       // rows of weights that a task of forward takes
constexpr int kDepthChunk = 512;   // steps whose columns of images stay in a first-level cache
constexpr int kInputTask = 2048;   // columns of weights that a task of backward-params takes

// So that forward's sums fit into what a task has for the inputs' gradient.
static_assert(kRowTask <= kDenseColumns && kPanelColumns <= kDenseRows);

// Images' features as panels: [panel of kPanel images][feature][kPanel], zeros where there is no image.
template <int kPanel>
void pack_images(float* to, ConstBlocked images, int features, int batch) {
  const int panels = panel_count(batch, kPanel);
  for_each_tile(panels * panel_count(features, kDepthChunk), [&](int task) {
    const int panel = task % panels;
    const int begin = task / panels * kDepthChunk, end = std::min(begin + kDepthChunk, features);
    float* row = to + (static_cast<std::ptrdiff_t>(panel) * features + begin) * kPanel;
    for (int image = 0; image < kPanel; ++image) {
      const int own = panel * kPanel + image;
      const float* from = own < batch ? images.block(own) : nullptr;
      for (int i = begin; i < end; ++i) row[(i - begin) * kPanel + image] = from == nullptr ? 0.0f : from[i];
    }
  });
}

// ---------- forward ----------

constexpr int kParts = kPanelColumns / kWideLanes;  // registers of a panel's images

// sums [rows][16] += rows of weights, `in` apart, by `depth` steps of a panel of images. What the rows will need is asked for: they
// tend to be a power of two apart, and the processor loses sight of such streams.
template <int kRows>
void add_rows(float* sums, const float* weight, std::ptrdiff_t in, const float* images, int depth) {
  constexpr int kLine = 16, kLinesAhead = 16;
  Wide held[kRows][kParts];
#pragma GCC unroll 12
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 2
    for (int part = 0; part < kParts; ++part) held[row][part] = load_as<Wide>(sums + row * kPanelColumns + part * kWideLanes);
  }
  const auto add_step = [&](int step) __attribute__((always_inline)) {
    Wide image[kParts];
#pragma GCC unroll 2
    for (int part = 0; part < kParts; ++part) image[part] = load_as<Wide>(images + step * kPanelColumns + part * kWideLanes);
#pragma GCC unroll 12
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 2
      for (int part = 0; part < kParts; ++part) held[row][part] += weight[row * in + step] * image[part];
    }
  };
  int step = 0;
  for (; step + kLine <= depth; step += kLine) {
#pragma GCC unroll 12
    for (int row = 0; row < kRows; ++row) __builtin_prefetch(weight + row * in + step + kLinesAhead * kLine);
    for (int i = 0; i < kLine; ++i) add_step(step + i);
  }
  for (; step < depth; ++step) add_step(step);
#pragma GCC unroll 12
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 2
    for (int part = 0; part < kParts; ++part) store(sums + row * kPanelColumns + part * kWideLanes, held[row][part]);
  }
}

// Enough that no sum waits for the one before, and few: rows a power of two apart share a dozen places of the first-level cache.
#if defined(__AVX512F__)
constexpr int kRowsAtOnce = 8;
#else
constexpr int kRowsAtOnce = kPanelRows;
#endif

template <int kRows = kRowsAtOnce>
void add_rows(int rows, float* sums, const float* weight, std::ptrdiff_t in, const float* images, int depth) {
  if constexpr (kRows > 0) {
    if (rows < kRows) return add_rows<kRows - 1>(rows, sums, weight, in, images, depth);
    add_rows<kRows>(sums, weight, in, images, depth);
  }
}

void forward_panels(Blocked output, ConstFloats weight, const float* bias, const float* packed, const DenseGeometry& g,
                    int batch, const Scratch& scratch) {
  for_each_tile(panel_count(g.out, kRowTask), [&](int task) {
    const int begin = task * kRowTask, end = std::min(begin + kRowTask, g.out);
    float* sums = scratch.thread(team_rank());
    for (int panel = 0; panel < panel_count(batch, kPanelColumns); ++panel) {
      for (int row = begin; row < end; ++row) {
        std::fill_n(sums + (row - begin) * kPanelColumns, kPanelColumns, bias == nullptr ? 0.0f : bias[row]);
      }
      for (int step = 0; step < g.in; step += kDepthChunk) {
        const float* images = packed + (static_cast<std::ptrdiff_t>(panel) * g.in + step) * kPanelColumns;
        for (int row = begin; row < end; row += kRowsAtOnce) {
          add_rows(std::min(kRowsAtOnce, end - row), sums + (row - begin) * kPanelColumns,
                   weight.data() + static_cast<std::ptrdiff_t>(row) * g.in + step, g.in, images,
                   std::min(kDepthChunk, g.in - step));
        }
      }
      for (int image = panel * kPanelColumns; image < std::min((panel + 1) * kPanelColumns, batch); ++image) {
        float* to = output.block(image);
        for (int row = begin; row < end; ++row) to[row] = sums[(row - begin) * kPanelColumns + image % kPanelColumns];
      }
    }
  });
}

// One image to four: dot products along the rows, whose weights come in vectors.
template <int kImages>
void forward_dots(Blocked output, ConstBlocked input, ConstFloats weight, const float* bias, const DenseGeometry& g) {
  constexpr int kRows = 2;
  for_each_tile(panel_count(g.out, kRowTask), [&](int task) {
    for (int row = task * kRowTask; row < std::min((task + 1) * kRowTask, g.out); row += kRows) {
      const float* weights[kRows];
      for (int i = 0; i < kRows; ++i) weights[i] = weight.data() + static_cast<std::ptrdiff_t>(std::min(row + i, g.out - 1)) * g.in;
      Vector sums[kRows][kImages] = {};
      int step = 0;
      for (; step + kLanes <= g.in; step += kLanes) {
#pragma GCC unroll 4
        for (int image = 0; image < kImages; ++image) {
          const Vector element = load(input.block(image) + step);
#pragma GCC unroll 2
          for (int i = 0; i < kRows; ++i) sums[i][image] += load(weights[i] + step) * element;
        }
      }
      for (int i = 0; i < kRows && row + i < g.out; ++i) {
        for (int image = 0; image < kImages; ++image) {
          const Vector lanes = sums[i][image];
          float sum = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
          for (int rest = step; rest < g.in; ++rest) sum += weights[i][rest] * input.block(image)[rest];
          output.block(image)[row + i] = sum + (bias == nullptr ? 0.0f : bias[row + i]);
        }
      }
    }
  });
}

// ---------- backward ----------

// Registers' sums: of some images by three of columns, and room for the weights and a gradient.
#if defined(__AVX512F__)
constexpr int kImages = 8;
#else
constexpr int kImages = 4;
#endif
constexpr int kStrips = 3, kColumnsAtOnce = kStrips * kWideLanes;
static_assert(kDenseColumns % kColumnsAtOnce == 0 && kFewImages % kImages == 0);

// sums [kImages][kDenseColumns] += kColumnsAtOnce columns of rows of weights, kDenseColumns apart, by the images' gradients [row][kImages].
void add_columns(float* sums, const float* gradients, const float* rows, int depth) {
  Wide held[kImages][kStrips];
#pragma GCC unroll 8
  for (int image = 0; image < kImages; ++image) {
#pragma GCC unroll 3
    for (int strip = 0; strip < kStrips; ++strip) held[image][strip] = load_as<Wide>(sums + image * kDenseColumns + strip * kWideLanes);
  }
  for (int step = 0; step < depth; ++step, rows += kDenseColumns, gradients += kImages) {
    Wide own[kStrips];
#pragma GCC unroll 3
    for (int strip = 0; strip < kStrips; ++strip) own[strip] = load_as<Wide>(rows + strip * kWideLanes);
#pragma GCC unroll 8
    for (int image = 0; image < kImages; ++image) {
      const Wide gradient = broadcast<Wide>(gradients[image]);
#pragma GCC unroll 3
      for (int strip = 0; strip < kStrips; ++strip) held[image][strip] += gradient * own[strip];
    }
  }
#pragma GCC unroll 8
  for (int image = 0; image < kImages; ++image) {
#pragma GCC unroll 3
    for (int strip = 0; strip < kStrips; ++strip) store(sums + image * kDenseColumns + strip * kWideLanes, held[image][strip]);
  }
}

// A left panel by the last columns, fewer than 16, of rows `row` floats apart.
PanelSums multiply_last(const float* left, const float* right, std::ptrdiff_t row, int depth, int columns) {
  PanelSums sums = {};
  for (int step = 0; step < depth; ++step, left += kPanelRows, right += row) {
    const Vector first = load_first(right, columns);
    const Vector second = load_first(right + kLanes, columns - kLanes);
#pragma GCC unroll 6
    for (int i = 0; i < kPanelRows; ++i) {
      sums.rows[i][0] += left[i] * first;
      sums.rows[i][1] += left[i] * second;
    }
  }
  return sums;
}

// Calls visit(sums, panel) for left panels [begin, end) by `columns` columns of rows where they are, steps.right apart.
template <class Visit>
void multiply_in_place(const float* left, const float* right, int depth, const PanelSteps& steps, int begin, int end, int columns, Visit&& visit) {
  if (columns < kPanelColumns) {
    for (int panel = begin; panel < end; ++panel) visit(multiply_last(left + panel * steps.left_panel, right, steps.right, depth, columns), panel);
    return;
  }
  for_each_product(begin, end, 1, [&]<int kRows, int kColumns>(int panel, int) {
    const auto sums = multiply_panels<kRows, kColumns>(left + panel * steps.left_panel, right, depth, steps);
    for (int i = 0; i < kRows; ++i) visit(sums.of[i][0], panel + i);
  });
}

// Rows of a panel's sums, `row` floats apart.
[[gnu::always_inline]] inline void store_gradient(float* to, const PanelSums& sums, std::ptrdiff_t row, int rows, int columns) {
  if (columns < kPanelColumns) {
    alignas(64) float kept[kPanelRows * kPanelColumns];
    keep(kept, sums);
    for (int i = 0; i < rows; ++i) std::copy_n(kept + i * kPanelColumns, columns, to + i * row);
    return;
  }
#pragma GCC unroll 6
  for (int i = 0; i < kPanelRows; ++i, to += row) {
    if (i >= rows) return;
    store(to, sums.rows[i][0]);
    store(to + kLanes, sums.rows[i][1]);
  }
}

}  // namespace

void forward(Blocked output, ConstBlocked input, ConstFloats weight, const float* bias, const DenseGeometry& g, int batch,
             const Scratch& scratch) {
  switch (batch) {
    case 1: return forward_dots<1>(output, input, weight, bias, g);
    case 2: return forward_dots<2>(output, input, weight, bias, g);
    case 3: return forward_dots<3>(output, input, weight, bias, g);
    case 4: return forward_dots<4>(output, input, weight, bias, g);
    default: break;
  }
  pack_images<kPanelColumns>(scratch.shared, input, g.in, batch);
  forward_panels(output, weight, bias, scratch.shared, g, batch, scratch);
}

void backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight, const DenseGeometry& g, int batch,
                    const Scratch& scratch) {
  float* packed = scratch.shared;
  pack_images<kImages>(packed, d_output, g.out, batch);
  const int panels = panel_count(batch, kImages);
  for_each_tile(panel_count(g.in, kDenseColumns), [&](int task) {
    const int begin = task * kDenseColumns, end = std::min(begin + kDenseColumns, g.in);
    const int blocks = panel_count(end - begin, kColumnsAtOnce);
    float* chunk = scratch.thread(team_rank());
    float* sums = chunk + kDenseColumns * kDenseRows;  // [image][kDenseColumns]
    std::fill_n(sums, panels * kImages * kDenseColumns, 0.0f);
    for (int step = 0; step < g.out; step += kDenseRows) {
      const int depth = std::min(kDenseRows, g.out - step);
      const float* rows = weight.data() + static_cast<std::ptrdiff_t>(step) * g.in + begin;
      for (int row = 0; row < depth; ++row) {
        float* to = std::copy_n(rows + static_cast<std::ptrdiff_t>(row) * g.in, end - begin, chunk + row * kDenseColumns);
        std::fill_n(to, blocks * kColumnsAtOnce - (end - begin), 0.0f);
      }
      Ahead ahead(rows + static_cast<std::ptrdiff_t>(depth) * g.in, end - begin, g.in, std::min(kDenseRows, g.out - step - depth));
      const int lines = ahead.lines() / (panels * blocks) + 1;
      for (int column = 0; column < blocks * kColumnsAtOnce; column += kColumnsAtOnce) {
        for (int panel = 0; panel < panels; ++panel) {
          ahead.ask(lines);
          add_columns(sums + panel * kImages * kDenseColumns + column, packed + (static_cast<std::ptrdiff_t>(panel) * g.out + step) * kImages, chunk + column,
                      depth);
        }
      }
    }
    for (int image = 0; image < batch; ++image) std::copy_n(sums + image * kDenseColumns, end - begin, d_input.block(image) + begin);
  });
}

void backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input, const DenseGeometry& g, int batch,
                     const Scratch& scratch) {
  // Left panels of output features: [panel of 6][image][6].
  float* packed = scratch.shared;
  const int panels = panel_count(g.out, kPanelRows);
  for_each_tile(panels, [&](int panel) {
    float* to = packed + static_cast<std::ptrdiff_t>(panel) * batch * kPanelRows;
    for (int image = 0; image < batch; ++image) {
      for (int i = 0; i < kPanelRows; ++i) *to++ = d_output.block(image)[std::min(panel * kPanelRows + i, g.out - 1)];
    }
  });
  constexpr int kPanelTask = 8;
  const PanelSteps steps{.left_panel = static_cast<std::ptrdiff_t>(batch) * kPanelRows, .right = input.stride};
  const int parts = panel_count(g.in, kInputTask);
  for_each_tile(parts * panel_count(panels, kPanelTask), [&](int task) {
    const int begin = task % parts * kInputTask, end = std::min(begin + kInputTask, g.in);
    const int first = task / parts * kPanelTask, last = std::min(first + kPanelTask, panels);
    for (int panel = first; panel < last; panel += kPanelsAtOnce) {
      for (int column = begin; column < end; column += kPanelColumns) {
        const int count = std::min(kPanelColumns, end - column);
        multiply_in_place(packed, input.data + column, batch, steps, panel, std::min(panel + kPanelsAtOnce, last), count,
                          [&](const PanelSums& sums, int own) __attribute__((always_inline)) {
                            store_gradient(d_weight.data() + static_cast<std::ptrdiff_t>(own) * kPanelRows * g.in + column, sums, g.in,
                                           std::min(kPanelRows, g.out - own * kPanelRows), count);
                          });
      }
    }
  });
}

}  // namespace cnn::few_images
