// Forward and backward-input as correlations with packed weights.
#include "cnn/ops/conv.hpp"

#include "cnn/core/team.hpp"
#include "cnn/ops/conv/pack_weights.hpp"

namespace cnn {

namespace {

const float* pack_forward(const float* weight, const ConvGeometry& g, float* packed) {
  const int group_out = g.out_channels / g.groups;
  const int panels = panel_count(group_out, kPanelRows);
  for_each_tile(panels * g.groups, [&](int task) {
    const int row = task % panels * kPanelRows;
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(task / panels) * group_out + row;
    pack_forward_panel(packed + static_cast<std::ptrdiff_t>(task) * kPanelRows * g.depth(),
                       weight + first * g.depth(), std::min(kPanelRows, group_out - row), g.depth());
  });
  return packed;
}

// A panel of turned weights: rows are input channels from `channel` on, steps are output channels and taps.
void pack_turned_panel(float* panel, const float* weight, const ConvGeometry& g, int phase, int channel) {
  const PhaseTaps taps(g, phase);
  const int rows = std::min(kPanelRows, g.in_channels / g.groups - channel);
  for (int out = 0; out < g.out_channels / g.groups; ++out) {
    const float* from = weight + static_cast<std::ptrdiff_t>(out) * g.depth() + static_cast<std::ptrdiff_t>(channel) * g.taps();
    for (int index = 0; index < taps.count(); ++index) {
      const int tap = taps.tap(index, g);
      for (int row = 0; row < kPanelRows; ++row) *panel++ = row < rows ? from[row * g.taps() + tap] : 0.0f;
    }
  }
}

}  // namespace

void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  pack_forward(weight.data(), g, prepared.data());
}

void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g,
          int batch, const Scratch& scratch) {
  const float* packed = weight.prepared ? weight.data : pack_forward(weight.data, g, scratch.shared);
  const Correlation first = forward_correlation(g);
  const int tasks = CorrelationTiles(first, batch).tasks();
  const CorrelationSource source{input, first.in_channels};
  const float* columns = share_columns(scratch.shared + (weight.prepared ? 0 : conv_prepared_floats(g)), {&source, 1}, first, batch, scratch);
  for_each_tile(tasks * g.groups, [&](int task) {
    const int group = task / tasks;
    const float* left = packed + left_panel_floats(first.out_channels, first.depth()) * static_cast<std::size_t>(group);
    const CorrelationTarget target{output, left, epilogue, first.out_channels};
    correlate_tile({&target, 1}, {&source, 1}, columns, forward_correlation(g, group), batch, task % tasks, scratch.thread(team_rank()));
  });
}

void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g, int batch,
                         const Scratch& scratch) {
  const Epilogue epilogue = d_input.epilogue();
  float* packed = scratch.shared;
  // Behind the weights of all phases.
  float* shared = scratch.shared;
  for (int phase = 0; phase < conv_phases(g); ++phase) {
    const Correlation c = backward_correlation(g, phase);
    shared += left_panel_floats(c.out_channels, c.depth()) * static_cast<std::size_t>(g.groups);
  }
  for (int phase = 0; phase < conv_phases(g); ++phase) {
    const Correlation first = backward_correlation(g, phase);
    if (first.outputs() == 0) continue;
    const std::size_t group_floats = left_panel_floats(first.out_channels, first.depth());
    const int panels = panel_count(first.out_channels, kPanelRows);
    for_each_tile(panels * g.groups, [&](int task) {
      const std::ptrdiff_t group = task / panels;
      pack_turned_panel(packed + static_cast<std::ptrdiff_t>(task) * kPanelRows * first.depth(),
                        weight.data() + group * first.in_channels * g.depth(), g, phase, task % panels * kPanelRows);
    });
    const int tasks = CorrelationTiles(first, batch).tasks();
    const CorrelationSource source{d_output, first.in_channels};
    const float* columns = share_columns(shared, {&source, 1}, first, batch, scratch);
    for_each_tile(tasks * g.groups, [&](int task) {
      const int group = task / tasks;
      const CorrelationTarget target{d_input.map, packed + group_floats * static_cast<std::size_t>(group),
                                     epilogue, first.out_channels};
      correlate_tile({&target, 1}, {&source, 1}, columns, backward_correlation(g, phase, group), batch, task % tasks,
                     scratch.thread(team_rank()));
    });
    packed += group_floats * static_cast<std::size_t>(g.groups);
  }
}

}  // namespace cnn
