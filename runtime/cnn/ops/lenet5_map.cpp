// The criterion through the largest exponent, so that nothing overflows; in double, since it is little work.
#include "cnn/ops/lenet5_map.hpp"

#include <cmath>

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

// e^-j + the sum of e^score, as e^largest * sum.
struct Evidence {
  double largest, sum;

  Evidence(const float* scores, double j, const MapGeometry& g) : largest(-j) {
    for (int i = 0; i < g.channels; ++i) largest = std::max<double>(largest, scores[i * g.block]);
    sum = std::exp(-j - largest);
    for (int i = 0; i < g.channels; ++i) sum += std::exp(scores[i * g.block] - largest);
  }

  double loss(float score) const { return largest + std::log(sum) - score; }
  double posterior(float score) const { return std::exp(score - largest) / sum; }
};

// Calls work(block, place, image) for each image of the batch.
template <class Work>
void for_each_image(const MapGeometry& g, int batch, Work&& work) {
  for_each_tile(block_count(batch, g.block), [&](int block) {
    for (int place = 0; place < images_in_block(batch, g.block, block); ++place) {
      work(block, place, block * g.block + place);
    }
  });
}

}  // namespace

void lenet5_map(Blocked d_scores, Floats losses, ConstBlocked scores, Labels labels, float j,
                const MapGeometry& g, const LossBatch& batch) {
  for_each_image(g, batch.images, [&](int block, int place, int image) {
    const float* in = scores.block(block) + place;
    float* d_in = d_scores.block(block) + place;
    const Evidence evidence(in, j, g);
    losses[image] = static_cast<float>(evidence.loss(in[labels[image] * g.block]));
    for (int i = 0; i < g.channels; ++i) {
      const double wanted = i == labels[image] ? 1 : 0;
      d_in[i * g.block] = static_cast<float>((evidence.posterior(in[i * g.block]) - wanted) / batch.in_mean());
    }
  });
}

void lenet5_map_loss(Floats losses, ConstBlocked scores, Labels labels, float j, const MapGeometry& g,
                     const LossBatch& batch) {
  for_each_image(g, batch.images, [&](int block, int place, int image) {
    const float* in = scores.block(block) + place;
    losses[image] = static_cast<float>(Evidence(in, j, g).loss(in[labels[image] * g.block]));
  });
}

}  // namespace cnn
