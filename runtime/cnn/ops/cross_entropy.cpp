// Cross-entropy through the largest logit, so that nothing overflows; in double, since it is little work.
#include "cnn/ops/cross_entropy.hpp"

#include <cmath>

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

struct LogSum {
  double largest, sum;  // log of the sum of e^logit is largest + log(sum)

  double loss(float logit) const { return largest + std::log(sum) - logit; }
};

LogSum log_sum(const float* logits, const MapGeometry& g) {
  LogSum result{logits[0], 0};
  for (int i = 1; i < g.channels; ++i) result.largest = std::max<double>(result.largest, logits[i * g.block]);
  for (int i = 0; i < g.channels; ++i) result.sum += std::exp(logits[i * g.block] - result.largest);
  return result;
}

// One image's weighted loss; writes the gradient of its share in the mean.
float loss_and_gradient(float* d_in, const float* in, int label, float weight, const MapGeometry& g, int in_mean) {
  const LogSum total = log_sum(in, g);
  const double loss = total.loss(in[label * g.block]);
  for (int i = 0; i < g.channels; ++i) {
    const double probability = std::exp(in[i * g.block] - total.largest) / total.sum;
    d_in[i * g.block] = static_cast<float>(weight * (probability - (i == label ? 1 : 0)) / in_mean);
  }
  return static_cast<float>(weight * loss);
}

// Calls work(block, image in the block, image in the batch); a few images are a tile.
template <class Work>
void for_each_image(const MapGeometry& g, int batch, Work&& work) {
  constexpr int kImages = 8;
  for_each_tile((batch + kImages - 1) / kImages, [&](int tile) {
    for (int image = tile * kImages; image < std::min((tile + 1) * kImages, batch); ++image) {
      work(image / g.block, image % g.block, image);
    }
  });
}

// The targets of a batch, whose weights are shares in the mean.
struct Targets {
  ConstFloats weights;
  double smoothing;
  int classes;
  double scale;  // batch / the sum of the labels' weights

  Targets(const CrossEntropyTargets& targets, Labels labels, int classes, const LossBatch& batch)
      : weights(targets.class_weights), smoothing(targets.label_smoothing), classes(classes) {
    double sum = 0;
    for (const int label : batch.all.empty() ? labels.first(static_cast<std::size_t>(batch.images)) : batch.all) sum += weight(label);
    scale = sum > 0 ? batch.in_mean() / sum : 0;
  }

  double weight(int i) const { return weights.empty() ? 1 : weights[static_cast<std::size_t>(i)]; }
  double at(int i, int label) const {
    return scale * weight(i) * (smoothing / classes + (i == label ? 1 - smoothing : 0));
  }
};

// One image's loss, and `sum`, what the targets add up to.
double loss_of(double& sum, const LogSum& total, const float* in, int label, const Targets& targets,
               const MapGeometry& g) {
  double loss = 0;
  sum = 0;
  for (int i = 0; i < g.channels; ++i) {
    loss += targets.at(i, label) * total.loss(in[i * g.block]);
    sum += targets.at(i, label);
  }
  return loss;
}

float loss_and_gradient(float* d_in, const float* in, int label, const Targets& targets, float weight,
                        const MapGeometry& g, int in_mean) {
  const LogSum total = log_sum(in, g);
  double sum = 0;
  const double loss = loss_of(sum, total, in, label, targets, g);
  for (int i = 0; i < g.channels; ++i) {
    const double probability = std::exp(in[i * g.block] - total.largest) / total.sum;
    d_in[i * g.block] = static_cast<float>(weight * (sum * probability - targets.at(i, label)) / in_mean);
  }
  return static_cast<float>(weight * loss);
}

}  // namespace

void softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels,
                           const MapGeometry& g, const LossBatch& batch) {
  for_each_image(g, batch.images, [&](int block, int place, int image) {
    losses[image] = loss_and_gradient(d_logits.block(block) + place, logits.block(block) + place, labels[image], 1, g, batch.in_mean());
  });
}

void add_softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels, float weight,
                               const MapGeometry& g, const LossBatch& batch) {
  for_each_image(g, batch.images, [&](int block, int place, int image) {
    losses[image] += loss_and_gradient(d_logits.block(block) + place, logits.block(block) + place, labels[image], weight, g,
                                       batch.in_mean());
  });
}

void cross_entropy_loss(Floats losses, ConstBlocked logits, Labels labels, const MapGeometry& g, const LossBatch& batch) {
  for_each_image(g, batch.images, [&](int block, int place, int image) {
    const float* in = logits.block(block) + place;
    losses[image] = static_cast<float>(log_sum(in, g).loss(in[labels[image] * g.block]));
  });
}

void softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels,
                           const CrossEntropyTargets& targets, const MapGeometry& g, const LossBatch& batch) {
  const Targets wanted(targets, labels, g.channels, batch);
  for_each_image(g, batch.images, [&](int block, int place, int image) {
    losses[image] = loss_and_gradient(d_logits.block(block) + place, logits.block(block) + place, labels[image],
                                      wanted, 1, g, batch.in_mean());
  });
}

void add_softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels,
                               const CrossEntropyTargets& targets, float weight, const MapGeometry& g, const LossBatch& batch) {
  const Targets wanted(targets, labels, g.channels, batch);
  for_each_image(g, batch.images, [&](int block, int place, int image) {
    losses[image] += loss_and_gradient(d_logits.block(block) + place, logits.block(block) + place, labels[image],
                                       wanted, weight, g, batch.in_mean());
  });
}

void cross_entropy_loss(Floats losses, ConstBlocked logits, Labels labels, const CrossEntropyTargets& targets,
                        const MapGeometry& g, const LossBatch& batch) {
  const Targets wanted(targets, labels, g.channels, batch);
  for_each_image(g, batch.images, [&](int block, int place, int image) {
    const float* in = logits.block(block) + place;
    double sum = 0;
    losses[image] = static_cast<float>(loss_of(sum, log_sum(in, g), in, labels[image], wanted, g));
  });
}

float mean_loss(ConstFloats losses, int batch) {
  double sum = 0;
  for (int image = 0; image < batch; ++image) sum += losses[image];
  return static_cast<float>(sum / batch);
}

}  // namespace cnn
