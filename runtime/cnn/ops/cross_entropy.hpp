// Softmax and cross-entropy in one, the loss of a classifier, and the mean of a batch's losses.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// losses[i] = -log softmax(logits)[label i] and d_logits = (softmax(logits) - one-hot) / batch, the gradient
/// of the mean loss; logits are flat, [N/NB][classes][NB]; d_logits may be logits.
void softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels,
                           const MapGeometry& geometry, const LossBatch& batch);

/// The same for an auxiliary head: losses[i] += weight * loss, and d_logits is the gradient of weight * the mean loss.
void add_softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels, float weight,
                               const MapGeometry& geometry, const LossBatch& batch);

/// The losses alone.
void cross_entropy_loss(Floats losses, ConstBlocked logits, Labels labels, const MapGeometry& geometry,
                        const LossBatch& batch);

/// What a label asks for instead of its class alone, as PyTorch's CrossEntropyLoss has it.
struct CrossEntropyTargets {
  ConstFloats class_weights{};  // [classes], or empty: all 1
  float label_smoothing = 0;    // the share of the target that goes to all classes alike, in [0, 1)
};

/// The same with such targets: t = (1 - smoothing) * weight of the label's class there, plus smoothing / classes * each
/// class's weight; a loss is -sum of t * log softmax(logits), times batch / the sum of the labels' weights, so that
/// mean_loss() is PyTorch's mean. Losses and gradients are 0 where all labels of a batch have weight 0.
void softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels,
                           const CrossEntropyTargets& targets, const MapGeometry& geometry, const LossBatch& batch);
void add_softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels,
                               const CrossEntropyTargets& targets, float weight, const MapGeometry& geometry,
                               const LossBatch& batch);
void cross_entropy_loss(Floats losses, ConstBlocked logits, Labels labels, const CrossEntropyTargets& targets,
                        const MapGeometry& geometry, const LossBatch& batch);

/// The mean of the first `batch` losses, added in order in double. Not collective: any thread gets the same.
float mean_loss(ConstFloats losses, int batch);

}  // namespace cnn
