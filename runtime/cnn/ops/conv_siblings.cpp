// Convolutions of one map as one correlation with several targets.
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
  const float* columns = share_columns(shared, input, c, batch, scratch);
  for_each_tile(CorrelationTiles(c, batch).tasks(), [&](int task) {
    correlate_tile({targets, count}, input, columns, c, batch, task, scratch.thread(team_rank()));
  });
}

}  // namespace cnn
