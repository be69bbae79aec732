// Softmax and cross-entropy in one, the loss of a classifier, and the mean of a batch's losses.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// losses[i] = -log softmax(logits)[label i] and d_logits = (softmax(logits) - one-hot) / batch, the gradient
/// of the mean loss; logits are flat, [N/NB][classes][NB]; d_logits may be logits.
void softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels,
                           const MapGeometry& geometry, int batch);

/// The same for an auxiliary head: losses[i] += weight * loss, and d_logits is the gradient of weight * the mean loss.
void add_softmax_cross_entropy(Blocked d_logits, Floats losses, ConstBlocked logits, Labels labels, float weight,
                               const MapGeometry& geometry, int batch);

/// The losses alone.
void cross_entropy_loss(Floats losses, ConstBlocked logits, Labels labels, const MapGeometry& geometry,
                        int batch);

/// The mean of the first `batch` losses, added in order in double. Not collective: any thread gets the same.
float mean_loss(ConstFloats losses, int batch);

}  // namespace cnn
