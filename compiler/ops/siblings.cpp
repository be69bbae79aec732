// The geometry and the scratch are those of runtime/cnn/ops/conv_siblings.hpp: generated code asserts that the scratch agrees.
#include "ops/siblings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "ops/bf16_tiles.hpp"
#include "ops/conv_algorithms.hpp"
#include "ops/convolution.hpp"

namespace cnnc::ops {

std::optional<ir::JoinedKernel> convolution_siblings(std::span<const ir::JoinedLayer> layers, ir::Precision precision) {
  constexpr std::size_t kMostSiblings = 8;
  constexpr std::int64_t kPanelRows = 6;
  if (layers.size() < 2 || layers.size() > kMostSiblings) return std::nullopt;
  const auto fits = [](const ir::JoinedLayer& layer) { return is_whole_convolution(layer) && is_pointwise(layer); };
  if (!std::ranges::all_of(layers, fits)) return std::nullopt;
  const ir::Shape& in = layers.front().context->inputs[0];
  std::vector<std::int64_t> channels;
  const auto whole = [](std::int64_t count) { return (count + kPanelRows - 1) / kPanelRows * kPanelRows; };
  std::int64_t rows = 0, all = 0;
  for (const ir::JoinedLayer& layer : layers) {
    channels.push_back(layer.context->output.channels);
    rows += whole(channels.back());
    all += channels.back();
  }
  const ir::OpContext& context = *layers.front().context;
  ir::ScratchSize prepared = pointwise_scratch(context, rows, in.channels);
  ir::ScratchSize stored = prepared, backward = pointwise_scratch(context, in.channels, all);
  stored.shared += rows * in.channels;
  backward.shared += whole(in.channels) * all;
  const bool fast = precision == ir::Precision::kFast;
  if (fast) {
    const SiblingsScratch tiles = tiles_of_siblings(context, channels);
    prepared = larger(prepared, tiles.prepared);
    stored = larger(stored, tiles.forward);
    backward = larger(backward, tiles.backward_input);
  }
  return ir::JoinedKernel{.function = fast ? "fast::conv_siblings" : "conv_siblings",
                          .geometry_type = "SiblingsGeometry",
                          .geometry = {{"in_channels", in.channels}, {"height", in.height}, {"width", in.width}, {"out_channels", channels}},
                          .scratch_function = fast ? "fast::conv_siblings_scratch" : "conv_siblings_scratch",
                          .prepared_scratch_function = fast ? "fast::conv_siblings_prepared_scratch" : "conv_siblings_prepared_scratch",
                          .scratch = stored,
                          .prepared_scratch = prepared,
                          .reason = fmt::format("one product: {} output channels of the same map", fmt::join(channels, " + ")),
                          .backward_input = fast ? "fast::conv_siblings_backward_input" : "conv_siblings_backward_input",
                          .backward_input_scratch_function = fast ? "fast::conv_siblings_backward_input_scratch" : "conv_siblings_backward_input_scratch",
                          .backward_input_scratch = backward,
                          .alone = &packed_forward(precision)};
}

}  // namespace cnnc::ops
