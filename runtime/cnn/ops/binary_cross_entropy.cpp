// Binary cross-entropy, an image at a time, in double.
#include "cnn/ops/binary_cross_entropy.hpp"

#include <cmath>

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

// Writes the losses, and hands each probability and its target to visit(block, offset, probability, target).
template <class Visit>
void visit_outputs(Floats losses, ConstBlocked output, Labels labels, const MapGeometry& g, int batch,
                   Visit&& visit) {
  for_each_tile(block_count(batch, g.block), [&](int block) {
    for (int place = 0; place < images_in_block(batch, g.block, block); ++place) {
      const int image = block * g.block + place;
      const int wanted = g.channels == 1 ? labels[image] - 1 : labels[image];  // the output whose target is 1
      double sum = 0;
      for (int i = 0; i < g.channels; ++i) {
        const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(i) * g.block + place;
        const double probability = output.block(block)[offset];
        sum -= std::max(std::log(i == wanted ? probability : 1 - probability), -100.0);
        visit(block, offset, probability, i == wanted ? 1.0 : 0.0);
      }
      losses[image] = static_cast<float>(sum / g.channels);
    }
  });
}

}  // namespace

void binary_cross_entropy(Blocked d_output, Floats losses, ConstBlocked output, Labels labels,
                          const MapGeometry& geometry, const LossBatch& batch) {
  const double scale = 1 / (static_cast<double>(batch.in_mean()) * geometry.channels);
  visit_outputs(losses, output, labels, geometry, batch.images,
                [&](int block, std::ptrdiff_t offset, double probability, double target) {
                  const double slope = std::max(probability * (1 - probability), 1e-12);
                  d_output.block(block)[offset] = static_cast<float>((probability - target) / slope * scale);
                });
}

void binary_cross_entropy_loss(Floats losses, ConstBlocked output, Labels labels, const MapGeometry& geometry,
                               const LossBatch& batch) {
  visit_outputs(losses, output, labels, geometry, batch.images, [](int, std::ptrdiff_t, double, double) {});
}

}  // namespace cnn
