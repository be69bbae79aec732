// The mean squared error, an image at a time.
#include "cnn/ops/mean_squared_error.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

// Writes the losses, and hands each difference to visit(block, offset, difference).
template <class Visit>
void visit_differences(Floats losses, ConstBlocked output, Labels labels, const MapGeometry& g, int batch,
                       Visit&& visit) {
  for_each_tile(block_count(batch, g.block), [&](int block) {
    for (int place = 0; place < images_in_block(batch, g.block, block); ++place) {
      const int image = block * g.block + place;
      double sum = 0;
      for (int i = 0; i < g.channels; ++i) {
        const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(i) * g.block + place;
        const float difference = output.block(block)[offset] - (i == labels[image] ? 1 : 0);
        sum += static_cast<double>(difference) * difference;
        visit(block, offset, difference);
      }
      losses[image] = static_cast<float>(sum / g.channels);
    }
  });
}

}  // namespace

void mean_squared_error(Blocked d_output, Floats losses, ConstBlocked output, Labels labels,
                        const MapGeometry& geometry, const LossBatch& batch) {
  const float scale = 2 / (static_cast<float>(batch.in_mean()) * static_cast<float>(geometry.channels));
  visit_differences(losses, output, labels, geometry, batch.images,
                    [&](int block, std::ptrdiff_t offset, float difference) {
                      d_output.block(block)[offset] = difference * scale;
                    });
}

void mean_squared_error_loss(Floats losses, ConstBlocked output, Labels labels, const MapGeometry& geometry,
                             const LossBatch& batch) {
  visit_differences(losses, output, labels, geometry, batch.images, [](int, std::ptrdiff_t, float) {});
}

}  // namespace cnn
