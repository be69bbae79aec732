// The calls of each way with the scratch that they need, and the choice.
#include "ops/conv_algorithms.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ops/bf16_tiles.hpp"
#include "ops/conv_costs.hpp"
#include "ops/conv_shape.hpp"
#include "ops/direct.hpp"

namespace cnnc::ops {

namespace {

using ir::OpContext;
using ir::Pass;
using ir::ScratchSize;

// As in runtime/cnn/ops/conv: generated code asserts that the sizes below agree.
constexpr std::int64_t kTileColumns = 12 * kPanelColumns;
constexpr std::int64_t kRowGroup = 44, kOwnRows = 4;

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
std::int64_t shared_columns(const ConvShape& s, std::int64_t columns, std::int64_t depth) {
  constexpr std::int64_t kMostPanels = 7 * 12, kMost = 1 << 20;
  if (s.groups != 1) return 0;
  return std::min(std::min(pieces(columns, kPanelColumns), kMostPanels) * (depth + 1) * kPanelColumns, kMost);
}

// cnn::conv_prepared_floats.
std::int64_t prepared_floats(const OpContext& context) {
  const ConvShape s(context);
  return whole(s.group_out(), kPanelRows) * s.depth() * s.groups;
}

ScratchSize forward_scratch(const OpContext& context) {
  const ConvShape s(context);
  return {.per_thread = tile_floats(s.group_out(), s.depth(), s.taps),
          .shared = prepared_floats(context) + shared_columns(s, s.pixels() * context.batch, s.depth())};
}

ScratchSize backward_input_scratch(const OpContext& context) {
  const ConvShape s(context);
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
  const ConvShape s(context);
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

// cnn::winograd::half_of_panels, of the panels of `count` channels, in channels.
std::int64_t half_of_rows(std::int64_t count) {
  return pieces(pieces(count, kPanelRows), 2) * kPanelRows;
}

// cnn::winograd::filter_scratch, of `batch` images with `tiles` tiles each.
ScratchSize filter_scratch(std::int64_t in, std::int64_t out, std::int64_t tiles, std::int64_t batch, std::int64_t inputs) {
  const WinogradBlocks blocks(in, out, tiles * batch);
  const std::int64_t row_panels = pieces(out, kPanelRows);
  const std::int64_t transform = (inputs * inputs + 1) * kPanelColumns;  // of a panel's channel
  const std::int64_t strips = 2 * 80 * kPanelColumns;
  ScratchSize size;
  if (blocks.most_own > 0) {
    const std::int64_t panels = std::min(blocks.of_block, blocks.panels);
    size.per_thread = panels * (kOwnRows * kPanelRows * transform + strips) + transformed_weights(in, kOwnRows * kPanelRows, inputs);
    size.shared = std::min(blocks.panels, blocks.most_own * blocks.of_block) * in * transform;
  }
  if (!blocks.own_weights()) {
    const std::int64_t panels = std::min(blocks.of_block, pieces(blocks.panels, kWanted));
    const std::int64_t shared = !blocks.heavy && blocks.parts > 1 ? std::min(blocks.panels, kWanted - 1) : 0;
    size.per_thread = std::max(size.per_thread, panels * ((in + std::min(kRowGroup, row_panels) * kPanelRows) * transform + strips));
    if (blocks.heavy) size.least_shared = std::max(size.shared, transformed_weights(in, half_of_rows(out), inputs));
    size.shared = std::max(size.shared, transformed_weights(in, out, inputs) + shared * in * transform);
    if (size.least_shared == size.shared) size.least_shared = 0;
  }
  return size;
}

template <std::int64_t kSide>
ScratchSize winograd_forward_scratch(const OpContext& context) {
  const ConvShape s(context);
  return filter_scratch(s.in, s.out, tiles_of(s.height.out, s.width.out, kSide + 1 - s.height.kernel), context.batch, kSide);
}
ScratchSize winograd_backward_input_scratch(const OpContext& context) {
  const ConvShape s(context);
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

// With prepared weights only columns are shared.
ScratchSize prepared_scratch(const OpContext& context) {
  const ConvShape s(context);
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
  return has_planes(context) ? larger(kOther(context), kTiles(context)) : kOther(context);
}
template <std::int64_t (*kOther)(const OpContext&)>
std::int64_t either_prepared(const OpContext& context) {
  return has_planes(context) ? std::max(kOther(context), tiles_prepared_floats(context)) : kOther(context);
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

const Winograd& winograd_for(const ConvShape& s) {
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
  const ConvShape s(context);
  if (s.groups != 1) return fmt::format("{} groups", s.groups);
  if (s.block != 1) return fmt::format("activations lie in blocks of {}", s.block);
  if (!has_planes(context)) return fmt::format("the kernel is {}x{}, the stride {}x{}", s.height.kernel, s.width.kernel, s.height.stride, s.width.stride);
  return "";
}

// Why Winograd's way is closed to a convolution, or nothing.
std::string obstacle(const ConvShape& s, ir::Precision precision) {
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
  const ConvShape s(context);
  return {.per_thread = tile_floats(rows, depth, 1), .shared = shared_columns(s, s.pixels() * context.batch, depth)};
}

ir::Decision decide_convolution(const OpContext& context, Pass pass, ir::Precision precision) {
  const ir::Calls& packed = packed_for(precision);
  const ConvShape s(context);
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
