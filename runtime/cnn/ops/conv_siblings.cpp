// Convolutions of one map as one correlation with several targets; backward, with several sources.
#include "cnn/ops/conv_siblings.hpp"

#include "cnn/core/team.hpp"
#include "cnn/ops/conv/pack_weights.hpp"

namespace cnn {

namespace {

// Packs what is not prepared already, each convolution's panels behind those of the one before.
void pack_all(float* packed, std::initializer_list<ConvSibling> siblings, const SiblingsGeometry& g) {
  for_each_tile(g.row_panels(), [&](int task) {
    int number = 0, row = task * kPanelRows;
    for (; row >= g.panels(number) * kPanelRows; ++number) row -= g.panels(number) * kPanelRows;
    const ConvWeights& weight = siblings.begin()[number].weight;
    if (weight.prepared) return;
    pack_forward_panel(packed + static_cast<std::ptrdiff_t>(task) * kPanelRows * g.in_channels,
                       weight.data + static_cast<std::ptrdiff_t>(row) * g.in_channels,
                       std::min(kPanelRows, g.out_channels[number] - row), g.in_channels);
  });
}

}  // namespace

void conv_siblings(std::initializer_list<ConvSibling> siblings, const Loaded& input, const SiblingsGeometry& g, int batch,
                   const Scratch& scratch) {
  const Correlation c = siblings_correlation(g);
  const bool prepared = std::ranges::all_of(siblings, [](const ConvSibling& sibling) { return sibling.weight.prepared; });
  if (!prepared) pack_all(scratch.shared, siblings, g);
  CorrelationTarget targets[kMostSiblings];
  std::size_t count = 0;
  const float* left = scratch.shared;
  for (const ConvSibling& sibling : siblings) {
    const int channels = g.out_channels[count];
    targets[count++] = {sibling.output, sibling.weight.prepared ? sibling.weight.data : left, sibling.epilogue, channels};
    left += left_panel_floats(channels, c.depth());
  }
  float* shared = scratch.shared + (prepared ? 0 : left_panel_floats(c.out_channels, c.depth()));
  const CorrelationSource source{input, g.in_channels};
  const float* columns = share_columns(shared, {&source, 1}, c, batch, scratch);
  for_each_tile(CorrelationTiles(c, batch).tasks(), [&](int task) {
    correlate_tile({targets, count}, {&source, 1}, columns, c, batch, task, scratch.thread(team_rank()));
  });
}

void conv_siblings_backward_input(const Result& d_input, std::initializer_list<SiblingGradient> siblings, const SiblingsGeometry& g,
                                  int batch, const Scratch& scratch) {
  const Correlation c = siblings_backward_correlation(g);
  float* left = scratch.shared;
  for_each_tile(panel_count(g.in_channels, kPanelRows), [&](int task) {
    const int channel = task * kPanelRows;
    float* panel = left + static_cast<std::ptrdiff_t>(channel) * c.depth();
    for (std::size_t number = 0; number < siblings.size(); ++number) {
      panel = pack_turned_rows(panel, siblings.begin()[number].weight.data() + channel, g.out_channels[number], g.in_channels,
                               std::min(kPanelRows, g.in_channels - channel));
    }
  });
  CorrelationSource sources[kMostSiblings];
  for (std::size_t number = 0; number < siblings.size(); ++number) {
    sources[number] = {siblings.begin()[number].d_output, g.out_channels[number]};
  }
  float* shared = left + left_panel_floats(c.out_channels, c.depth());
  const std::span<const CorrelationSource> all(sources, siblings.size());
  const float* columns = share_columns(shared, all, c, batch, scratch);
  const CorrelationTarget target{d_input.map, left, d_input.epilogue(), c.out_channels};
  for_each_tile(CorrelationTiles(c, batch).tasks(), [&](int task) {
    correlate_tile({&target, 1}, all, columns, c, batch, task, scratch.thread(team_rank()));
  });
}

}  // namespace cnn
