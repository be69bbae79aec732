// A static cost model, in cycles of one thread: the same on every machine, so that a spec always gives the same program.
#include "ops/conv_algorithms.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ops/bf16_tiles.hpp"
#include "ops/correlation.hpp"
#include "ops/direct.hpp"
#include "ops/window.hpp"

namespace cnnc::ops {

namespace {

using ir::OpContext;
using ir::Pass;
using ir::ScratchSize;

// As in runtime/cnn/core/panels.hpp and runtime/cnn/ops/conv: generated code asserts that the sizes below agree.
constexpr std::int64_t kPanelRows = 6, kPanelColumns = 16;
constexpr std::int64_t kTileColumns = 12 * kPanelColumns;
constexpr std::int64_t kDepth = 256;
constexpr std::int64_t kInputs = 6, kPoints = kInputs * kInputs, kFewInputs = 4, kMostTiles = 128, kRowGroup = 44, kOwnRows = 4;
constexpr std::int64_t kWanted = 8;  // tasks of a convolution that has enough to do

// A convolution's numbers.
struct Shape {
  std::int64_t in, out, groups, taps;
  WindowAxis height, width;
  std::int64_t in_height, in_width, block;

  explicit Shape(const OpContext& context)
      : in(context.inputs[0].channels),
        out(context.output.channels),
        groups(context.arguments.integer("groups")),
        taps(0),
        in_height(context.inputs[0].height),
        in_width(context.inputs[0].width),
        block(context.block) {
    const Window w = std::get<Window>(window("conv", context.inputs[0], context.arguments));
    height = w.height;
    width = w.width;
    taps = height.kernel * width.kernel;
  }

  std::int64_t group_in() const { return in / groups; }
  std::int64_t group_out() const { return out / groups; }
  std::int64_t depth() const { return group_in() * taps; }
  std::int64_t pixels() const { return height.out * width.out; }
  bool pointwise() const {
    return taps == 1 && height.stride == 1 && width.stride == 1 && height.pad == 0 && width.pad == 0 &&
           height.out == in_height && width.out == in_width;
  }
};

// ---------- scratch ----------

// cnn::piece_floats.
std::int64_t piece_floats(std::int64_t taps) {
  return taps * kTileColumns * 4;
}

// cnn::correlation_scratch.
std::int64_t tile_floats(std::int64_t rows, std::int64_t depth, std::int64_t taps) {
  const std::int64_t partial = depth > kDepth ? whole(rows, kPanelRows) * kTileColumns : 0;
  return (std::min(depth, kDepth) + 1) * kTileColumns + partial + piece_floats(taps);
}

// The taps of an axis that reach places `phase`, phase + stride, ... of the input.
std::int64_t phase_taps(const WindowAxis& axis, std::int64_t phase) {
  std::int64_t count = 0;
  for (std::int64_t tap = 0; tap < axis.kernel; ++tap) count += (phase + axis.pad - tap * axis.dilation) % axis.stride == 0 ? 1 : 0;
  return count;
}

// Such places.
std::int64_t phase_count(std::int64_t size, std::int64_t stride, std::int64_t phase) {
  return size > phase ? pieces(size - phase, stride) : 0;
}

// cnn::shared_columns_scratch.
std::int64_t shared_columns(const Shape& s, std::int64_t columns, std::int64_t depth) {
  constexpr std::int64_t kMostPanels = 7 * 12, kMost = 1 << 20;
  if (s.groups != 1) return 0;
  return std::min(std::min(pieces(columns, kPanelColumns), kMostPanels) * (depth + 1) * kPanelColumns, kMost);
}

// cnn::conv_prepared_floats.
std::int64_t prepared_floats(const OpContext& context) {
  const Shape s(context);
  return whole(s.group_out(), kPanelRows) * s.depth() * s.groups;
}

ScratchSize forward_scratch(const OpContext& context) {
  const Shape s(context);
  return {.per_thread = tile_floats(s.group_out(), s.depth(), s.taps),
          .shared = prepared_floats(context) + shared_columns(s, s.pixels() * context.batch, s.depth())};
}

ScratchSize backward_input_scratch(const OpContext& context) {
  const Shape s(context);
  ScratchSize size;
  std::int64_t columns = 0;
  for (std::int64_t y = 0; y < (s.pointwise() ? 1 : s.height.stride); ++y) {
    for (std::int64_t x = 0; x < (s.pointwise() ? 1 : s.width.stride); ++x) {
      const std::int64_t taps = phase_taps(s.height, y) * phase_taps(s.width, x);
      const std::int64_t depth = s.group_out() * taps;
      size.per_thread = std::max(size.per_thread, tile_floats(s.group_in(), depth, taps));
      size.shared += whole(s.group_in(), kPanelRows) * depth * s.groups;
      const std::int64_t outputs = s.pointwise() ? s.in_height * s.in_width
                                                 : phase_count(s.in_height, s.height.stride, y) * phase_count(s.in_width, s.width.stride, x);
      columns = std::max(columns, shared_columns(s, outputs * context.batch, depth));
    }
  }
  size.shared += columns;
  return size;
}

ScratchSize backward_params_scratch(const OpContext& context) {
  const Shape s(context);
  const std::int64_t weights = s.out * s.depth();
  const std::int64_t chunks = pieces(s.depth(), kDepth) * s.groups;
  const std::int64_t slots = std::clamp<std::int64_t>((1 << 20) / weights, 1, pieces(8, chunks));
  return {.per_thread = kTileColumns * (2 * kPanelColumns + whole(s.group_out(), kPanelRows)) + piece_floats(s.taps), .shared = (slots - 1) * weights};
}

// cnn::winograd::point_stride.
std::int64_t point_stride(std::int64_t floats) {
  constexpr std::int64_t kLine = 16;
  return (pieces(floats, kLine) | 1) * kLine;
}

// cnn::winograd::weights_floats.
std::int64_t transformed_weights(std::int64_t in, std::int64_t out, std::int64_t inputs) {
  return inputs * inputs * point_stride(whole(out, kPanelRows) * in);
}

// Tiles of an image's map.
std::int64_t tiles_of(std::int64_t height, std::int64_t width, std::int64_t outputs) {
  return pieces(height, outputs) * pieces(width, outputs);
}

// cnn::winograd::Blocks::is_heavy.
bool has_heavy_weights(std::int64_t in, std::int64_t out) {
  return in * out > 1 << 14;
}

// cnn::winograd::half_of_panels, of the panels of `count` channels, in channels.
std::int64_t half_of_rows(std::int64_t count) {
  return pieces(pieces(count, kPanelRows), 2) * kPanelRows;
}

// cnn::winograd::filter_scratch, of `batch` images with `tiles` tiles each.
ScratchSize filter_scratch(std::int64_t in, std::int64_t out, std::int64_t tiles, std::int64_t batch, std::int64_t inputs) {
  const std::int64_t all = pieces(tiles * batch, kPanelColumns);
  const std::int64_t of_block = std::clamp<std::int64_t>(4096 / (in + out) / kPanelColumns, 4, kMostTiles / kPanelColumns);
  const std::int64_t row_panels = pieces(out, kPanelRows);
  const std::int64_t transform = (inputs * inputs + 1) * kPanelColumns;  // of a panel's channel
  const std::int64_t strips = 2 * 80 * kPanelColumns;
  const bool parted = pieces(row_panels, 8) > 1, heavy = has_heavy_weights(in, out);
  const std::int64_t most_own = heavy && parted ? std::clamp<std::int64_t>(in * out >> 16, 1, 4) : 0;
  ScratchSize size;
  if (most_own > 0) {
    const std::int64_t panels = std::min(of_block, all);
    size.per_thread = panels * (kOwnRows * kPanelRows * transform + strips) + transformed_weights(in, kOwnRows * kPanelRows, inputs);
    size.shared = std::min(all, most_own * of_block) * in * transform;
  }
  if (pieces(all, of_block) > most_own) {
    const std::int64_t panels = std::min(of_block, pieces(all, kWanted));
    const std::int64_t shared = !heavy && parted ? std::min(all, kWanted - 1) : 0;
    size.per_thread = std::max(size.per_thread, panels * ((in + std::min(kRowGroup, row_panels) * kPanelRows) * transform + strips));
    if (heavy) size.least_shared = std::max(size.shared, transformed_weights(in, half_of_rows(out), inputs));
    size.shared = std::max(size.shared, transformed_weights(in, out, inputs) + shared * in * transform);
    if (size.least_shared == size.shared) size.least_shared = 0;
  }
  return size;
}

template <std::int64_t kSide>
ScratchSize winograd_forward_scratch(const OpContext& context) {
  const Shape s(context);
  return filter_scratch(s.in, s.out, tiles_of(s.height.out, s.width.out, kSide + 1 - s.height.kernel), context.batch, kSide);
}
ScratchSize winograd_backward_input_scratch(const OpContext& context) {
  const Shape s(context);
  return filter_scratch(s.out, s.in, tiles_of(s.in_height, s.in_width, kInputs + 1 - s.height.kernel), context.batch, kInputs);
}
// cnn::winograd::GradientTasks.
ScratchSize winograd_backward_params_scratch(const OpContext& context) {
  const std::int64_t in = pieces(context.inputs[0].channels, kPanelColumns);
  const std::int64_t out = pieces(context.output.channels, kPanelRows);
  const std::int64_t slot = kPoints * point_stride(in * kPanelColumns * out * kPanelRows);
  std::int64_t slots = 1;
  while (slots < 8 && 2 * slots * slot <= 1 << 21) slots *= 2;
  const std::int64_t steps = slots > 1 ? 32 * (kPoints + 1) : (128 + 1) * kInputs;
  const std::int64_t half_of_slot = kPoints * point_stride(in * kPanelColumns * half_of_rows(out * kPanelRows));
  return {.per_thread = steps * (in * kPanelColumns + out * kPanelRows), .shared = slots * slot, .least_shared = slots > 1 || out == 1 ? 0 : half_of_slot};
}

// ---------- cost ----------

// How much longer work takes that is cut into so many tasks than if all threads always had some.
double cut_into(std::int64_t tasks) {
  return 1 + 1 / static_cast<double>(std::max<std::int64_t>(tasks, 1));
}

// Cycles of the innermost loops: six vectors of products a step, and a start.
double products(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  const auto calls = static_cast<double>(pieces(rows, kPanelRows) * pieces(columns, kPanelColumns));
  return calls * (6.5 * static_cast<double>(depth) + 30.0 * static_cast<double>(pieces(depth, kDepth)));
}

// Of a forward pass's weights.
double packing(const OpContext& context) {
  const Shape s(context);
  return context.prepared ? 0 : static_cast<double>(s.out * s.depth());
}

double packed_cost(const OpContext& context, Pass pass) {
  const Shape s(context);
  const std::int64_t batch = context.batch;
  const auto columns = static_cast<double>(s.pixels() * batch);
  const auto weights = static_cast<double>(s.out * s.depth());
  switch (pass) {
    case Pass::kForward: {
      // Taps of a long row's columns share what they load (cnn::ColumnRows).
      const double gathering = s.taps > 1 && s.width.out >= 48 ? 0.3 : 1;
      return cut_into(kWanted) *
             (products(s.out, s.pixels() * batch, s.depth()) + gathering * columns * static_cast<double>(s.depth()) + weights + packing(context));
    }
    case Pass::kBackwardInput:
      return products(s.in, s.pixels() * batch, s.out * s.taps) + columns * static_cast<double>(s.out * s.taps) + 2 * weights;
    case Pass::kBackwardParams:
    case Pass::kBackward: break;
  }
  return products(s.out, s.depth(), s.pixels() * batch) + 1.5 * columns * static_cast<double>(s.depth());
}

// Tasks of cnn::winograd::Blocks.
std::int64_t winograd_tasks(std::int64_t in, std::int64_t out, std::int64_t tiles) {
  const std::int64_t all = pieces(tiles, kPanelColumns), parts = pieces(pieces(out, kPanelRows), 8);
  std::int64_t blocks = pieces(all, std::clamp<std::int64_t>(4096 / (in + out) / kPanelColumns, 4, kMostTiles / kPanelColumns));
  const bool heavy = has_heavy_weights(in, out);
  const std::int64_t most_own = heavy && parts > 1 ? std::clamp<std::int64_t>(in * out >> 16, 1, 4) : 0;
  if (blocks > most_own) {
    if (blocks < kWanted) blocks = std::min(all, kWanted);
    if (heavy || blocks >= kWanted) return blocks;
  }
  return blocks * std::min(pieces(kWanted, blocks), parts);
}

// Each place of a tile is a product of vectors a step for sixteen output channels; fewer than four wait for each other's sums.
double direct_cost(const OpContext& context) {
  constexpr std::int64_t kPlaces = 7, kFewest = 4, kPanel = 16, kSteps = 128;
  const Shape s(context);
  const std::int64_t row = s.pointwise() ? s.pixels() : s.width.out, rows = s.pointwise() ? 1 : s.height.out;
  const std::int64_t places = std::max(row, pieces(row, kPlaces) * kFewest) * rows * context.batch;
  const auto outputs = static_cast<double>(places * whole(s.out, kPanel));
  // A single panel of weights needs a load for each product.
  const double product = s.out > kPanel ? 1.07 : 1.4;
  const auto products = outputs / kPanel * (product * static_cast<double>(s.depth()) + 2.0 * static_cast<double>(pieces(s.depth(), kSteps)));
  const bool copies = !s.pointwise() || context.mapped;
  const double copied = copies ? static_cast<double>(s.in * s.in_height * s.in_width * context.batch) : 0;
  return cut_into(kWanted) * (products + 0.5 * outputs + copied + packing(context));
}

// A transform of a tile's channel costs about as many cycles as it moves vectors, most of which miss the first cache.
double winograd_cost(const OpContext& context, Pass pass, std::int64_t inputs) {
  const Shape s(context);
  const std::int64_t batch = context.batch;
  constexpr double kInput = 60.0 / kPoints, kOutput = 90.0 / kPoints, kWeights = 60.0 / kPoints;  // for each point
  const std::int64_t in = pass == Pass::kBackwardInput ? s.out : s.in;
  const std::int64_t out = pass == Pass::kBackwardInput ? s.in : s.out;
  const std::int64_t height = pass == Pass::kBackwardInput ? s.in_height : s.height.out;
  const std::int64_t width = pass == Pass::kBackwardInput ? s.in_width : s.width.out;
  const std::int64_t tiles = tiles_of(height, width, inputs + 1 - s.height.kernel) * batch;
  const double transforms = static_cast<double>(tiles) * (kInput * static_cast<double>(in) + kOutput * static_cast<double>(out)) +
                            kWeights * static_cast<double>(in * out);
  const double multiply = pass == Pass::kBackwardParams ? products(out, in, tiles) : products(out, tiles, in);
  const double cycles = static_cast<double>(inputs * inputs) * (multiply + transforms);
  return pass == Pass::kForward ? cut_into(winograd_tasks(in, out, tiles)) * cycles : cycles;
}

// With prepared weights only columns are shared.
ScratchSize prepared_scratch(const OpContext& context) {
  const Shape s(context);
  return {.per_thread = forward_scratch(context).per_thread,
          .shared = shared_columns(s, s.pixels() * context.batch, s.depth())};
}
template <std::int64_t kSide>
std::int64_t winograd_prepared_floats(const OpContext& context) {
  return transformed_weights(context.inputs[0].channels, context.output.channels, kSide);
}
template <std::int64_t kSide>
ScratchSize winograd_prepared_scratch(const OpContext& context) {
  const ScratchSize size = winograd_forward_scratch<kSide>(context);
  return {.per_thread = size.per_thread, .shared = size.shared - winograd_prepared_floats<kSide>(context)};
}

ir::CallDef named(ir::CallDef call, std::string_view function, ir::ScratchDef scratch) {
  call.function = function;
  call.scratch = scratch;
  return call;
}

ir::Calls winograd_calls() {
  ir::Calls calls = packed_calls();
  calls.forward = named(calls.forward, "winograd::conv", {"winograd::conv_scratch", winograd_forward_scratch<kInputs>});
  calls.forward.prepare = {"winograd::conv_prepare",
                           winograd_prepared_floats<kInputs>,
                           {"winograd::conv_prepared_scratch", winograd_prepared_scratch<kInputs>}};
  calls.backward_input = named(*calls.backward_input, "winograd::conv_backward_input",
                               {"winograd::conv_backward_input_scratch", winograd_backward_input_scratch});
  calls.backward_params = named(*calls.backward_params, "winograd::conv_backward_params",
                                {"winograd::conv_backward_params_scratch", winograd_backward_params_scratch});
  return calls;
}

// F(2x2, 3x3), for few tiles: forward only.
ir::CallDef winograd_2x2_call() {
  ir::CallDef call = named(packed_calls().forward, "winograd::conv_2x2", {"winograd::conv_2x2_scratch", winograd_forward_scratch<kFewInputs>});
  call.prepare = {"winograd::conv_2x2_prepare",
                  winograd_prepared_floats<kFewInputs>,
                  {"winograd::conv_2x2_prepared_scratch", winograd_prepared_scratch<kFewInputs>}};
  return call;
}

ir::CallDef direct_call() {
  ir::CallDef call = named(packed_calls().forward, "direct::conv", {"direct::conv_scratch", direct_scratch});
  call.prepare = {"direct::conv_prepare", direct_prepared_floats, {"direct::conv_prepared_scratch", direct_prepared_scratch}};
  return call;
}

// ---------- fast programs ----------

// What either way needs, on whatever processor: cnn::fast.
template <ScratchSize (*kOther)(const OpContext&), ScratchSize (*kTiles)(const OpContext&)>
ScratchSize either(const OpContext& context) {
  return fits_tiles(context) ? larger(kOther(context), kTiles(context)) : kOther(context);
}
template <std::int64_t (*kOther)(const OpContext&)>
std::int64_t either_prepared(const OpContext& context) {
  return fits_tiles(context) ? std::max(kOther(context), tiles_prepared_floats(context)) : kOther(context);
}

ir::Calls fast_packed_calls() {
  ir::Calls calls = packed_calls();
  calls.forward = named(calls.forward, "fast::conv", {"fast::conv_scratch", either<forward_scratch, tiles_forward_scratch>});
  calls.forward.prepare = {"fast::conv_prepare",
                           either_prepared<prepared_floats>,
                           {"fast::conv_prepared_scratch", either<prepared_scratch, tiles_prepared_scratch>}};
  calls.backward_input = named(*calls.backward_input, "fast::conv_backward_input",
                               {"fast::conv_backward_input_scratch", either<backward_input_scratch, tiles_backward_input_scratch>});
  calls.backward_params = named(*calls.backward_params, "fast::conv_backward_params",
                                {"fast::conv_backward_params_scratch", either<backward_params_scratch, tiles_backward_params_scratch>});
  return calls;
}

ir::Calls fast_winograd_calls() {
  ir::Calls calls = winograd_calls();
  calls.forward = named(calls.forward, "fast::winograd::conv",
                        {"fast::winograd::conv_scratch", either<winograd_forward_scratch<kInputs>, tiles_forward_scratch>});
  calls.forward.prepare = {"fast::winograd::conv_prepare",
                           either_prepared<winograd_prepared_floats<kInputs>>,
                           {"fast::winograd::conv_prepared_scratch", either<winograd_prepared_scratch<kInputs>, tiles_prepared_scratch>}};
  calls.backward_input =
      named(*calls.backward_input, "fast::winograd::conv_backward_input",
            {"fast::winograd::conv_backward_input_scratch", either<winograd_backward_input_scratch, tiles_backward_input_scratch>});
  calls.backward_params =
      named(*calls.backward_params, "fast::winograd::conv_backward_params",
            {"fast::winograd::conv_backward_params_scratch", either<winograd_backward_params_scratch, tiles_backward_params_scratch>});
  return calls;
}

ir::CallDef fast_winograd_2x2_call() {
  ir::CallDef call = named(winograd_2x2_call(), "fast::winograd::conv_2x2",
                           {"fast::winograd::conv_2x2_scratch", either<winograd_forward_scratch<kFewInputs>, tiles_forward_scratch>});
  call.prepare = {"fast::winograd::conv_2x2_prepare",
                  either_prepared<winograd_prepared_floats<kFewInputs>>,
                  {"fast::winograd::conv_2x2_prepared_scratch", either<winograd_prepared_scratch<kFewInputs>, tiles_prepared_scratch>}};
  return call;
}

ir::CallDef fast_direct_call() {
  ir::CallDef call = named(direct_call(), "fast::direct::conv", {"fast::direct::conv_scratch", either<direct_scratch, tiles_forward_scratch>});
  call.prepare = {"fast::direct::conv_prepare",
                  either_prepared<direct_prepared_floats>,
                  {"fast::direct::conv_prepared_scratch", either<direct_prepared_scratch, tiles_prepared_scratch>}};
  return call;
}

// The calls by Winograd, which strict programs have none of; heavy weights are not prepared.
struct Winograd {
  ir::Calls calls = fast_winograd_calls();
  ir::CallDef with_2x2 = fast_winograd_2x2_call();
};

const Winograd& winograd_for(const Shape& s) {
  static const Winograd prepared;
  static const Winograd unprepared = [] {
    Winograd result;
    result.calls.forward.prepare = {};
    result.with_2x2.prepare = {};
    return result;
  }();
  return has_heavy_weights(s.in, s.out) ? unprepared : prepared;
}

const ir::CallDef& call_of(const ir::Calls& calls, Pass pass) {
  switch (pass) {
    case Pass::kForward: return calls.forward;
    case Pass::kBackwardInput: return *calls.backward_input;
    case Pass::kBackwardParams:
    case Pass::kBackward: break;
  }
  return *calls.backward_params;
}

const ir::Calls& packed_for(ir::Precision precision) {
  static const ir::Calls strict = packed_calls(), fast = fast_packed_calls();
  return precision == ir::Precision::kStrict ? strict : fast;
}

const ir::CallDef& direct_for(ir::Precision precision) {
  static const ir::CallDef strict = direct_call(), fast = fast_direct_call();
  return precision == ir::Precision::kStrict ? strict : fast;
}

// Why the direct way is closed to a convolution, or nothing.
std::string direct_obstacle(const OpContext& context) {
  const Shape s(context);
  if (s.groups != 1) return fmt::format("{} groups", s.groups);
  if (s.block != 1) return fmt::format("activations lie in blocks of {}", s.block);
  if (!fits_direct(context)) return fmt::format("the kernel is {}x{}, the stride {}x{}", s.height.kernel, s.width.kernel, s.height.stride, s.width.stride);
  return "";
}

// Why Winograd's way is closed to a convolution, or nothing.
std::string obstacle(const Shape& s, ir::Precision precision) {
  const WindowAxis& h = s.height;
  const WindowAxis& w = s.width;
  if (h.kernel != w.kernel || (h.kernel != 3 && h.kernel != 5)) return fmt::format("the kernel is {}x{}", h.kernel, w.kernel);
  if (h.stride != 1 || w.stride != 1) return fmt::format("the stride is {}x{}", h.stride, w.stride);
  if (h.dilation != 1 || w.dilation != 1) return fmt::format("the dilation is {}x{}", h.dilation, w.dilation);
  if (s.groups != 1) return fmt::format("{} groups", s.groups);
  if (h.pad >= h.kernel || w.pad >= w.kernel) return fmt::format("the padding is {}x{}", h.pad, w.pad);
  if (s.block != 1) return fmt::format("activations lie in blocks of {}", s.block);
  if (precision == ir::Precision::kStrict) return "precision = strict";
  return "";
}

}  // namespace

ir::Calls packed_calls() {
  using ir::Role;
  return {.forward = {"conv",
                      {Role::kOutput, Role::kLoaded, Role::kWeight, Role::kEpilogue, Role::kGeometry, Role::kBatch, Role::kScratch},
                      {"conv_scratch", forward_scratch},
                      {"conv_prepare", prepared_floats, {"conv_prepared_scratch", prepared_scratch}}},
          .backward_input = ir::CallDef{"conv_backward_input",
                                        {Role::kDInput, Role::kDOutput, Role::kWeight, Role::kGeometry, Role::kBatch, Role::kScratch},
                                        {"conv_backward_input_scratch", backward_input_scratch},
                                        {},
                                        false,
                                        true,
                                        true},
          .backward_params = ir::CallDef{"conv_backward_params",
                                         {Role::kDParameters, Role::kDOutput, Role::kLoaded, Role::kGeometry, Role::kBatch,
                                          Role::kScratch},
                                         {"conv_backward_params_scratch", backward_params_scratch}}};
}

const ir::CallDef& packed_forward(ir::Precision precision) {
  return packed_for(precision).forward;
}

ScratchSize packed_scratch(const OpContext& context) {
  ScratchSize most;
  for (const ScratchSize& size : {forward_scratch(context), backward_input_scratch(context), backward_params_scratch(context)}) {
    most.per_thread = std::max(most.per_thread, size.per_thread);
    most.shared = std::max(most.shared, size.shared);
  }
  return most;
}

ScratchSize pointwise_scratch(const OpContext& context, std::int64_t rows, std::int64_t depth) {
  const Shape s(context);
  return {.per_thread = tile_floats(rows, depth, 1), .shared = shared_columns(s, s.pixels() * context.batch, depth)};
}

ir::Decision decide_convolution(const OpContext& context, Pass pass, ir::Precision precision) {
  const ir::Calls& packed = packed_for(precision);
  const Shape s(context);
  const Winograd& winograd = winograd_for(s);
  constexpr double kGain = 1.1;  // that the model must see, since it is a rough one
  const std::int64_t kernel = s.height.kernel;
  const std::string closed = obstacle(s, precision);
  ir::Decision decision{.candidates = {{.name = "packed", .call = &call_of(packed, pass)}}, .chosen = 0, .reason = {}};
  const double of_packed = packed_cost(context, pass);
  double least = of_packed;
  // What comes later has to be better than what was chosen before it; `reason` says how much better it is than packed columns.
  const auto add = [&](const ir::Candidate& candidate, const auto& cost_of, const auto& reason) {
    decision.candidates.push_back(candidate);
    if (!candidate.obstacle.empty()) return;
    const double cost = cost_of();
    if (cost * kGain > least) return;
    least = cost;
    decision.chosen = decision.candidates.size() - 1;
    decision.reason = reason(of_packed / cost);
  };
  const auto add_winograd = [&](std::string_view name, const ir::CallDef& call, const std::string& own_obstacle, std::int64_t inputs) {
    add({.name = name, .call = &call, .obstacle = own_obstacle}, [&] { return winograd_cost(context, pass, inputs); },
        [&](double ratio) {
          return fmt::format("Winograd F({0}x{0}, {1}x{1}): {2:.1f} times as fast by the cost model", inputs + 1 - kernel, kernel, ratio);
        });
  };
  add_winograd("winograd", call_of(winograd.calls, pass), closed, kInputs);
  if (pass == Pass::kForward) {
    const std::string not_three = kernel == 3 ? "" : fmt::format("the kernel is {0}x{0}", kernel);
    add_winograd("winograd_2x2", winograd.with_2x2, closed.empty() ? not_three : closed, kFewInputs);
    add({.name = "direct", .call = &direct_for(precision), .obstacle = direct_obstacle(context)}, [&] { return direct_cost(context); },
        [&](double ratio) {
          return fmt::format("direct: {} places fill tiles of registers, {:.1f} times as fast by the cost model", s.pixels() * context.batch, ratio);
        });
  }
  if (decision.chosen != 0) return decision;
  if (s.pointwise()) {
    decision.reason = "packed: a 1x1 kernel is one product of matrices";
  } else if (!closed.empty()) {
    decision.reason = "packed columns: " + closed;
  } else {
    decision.reason = fmt::format("packed columns: with {} to {} channels Winograd's transforms cost more than they save ({:.1f} times as fast)", s.in,
                                  s.out, of_packed / winograd_cost(context, pass, kInputs));
  }
  return decision;
}

}  // namespace cnnc::ops
