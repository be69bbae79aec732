// Binary cross-entropy of probabilities, after a sigmoid, as PyTorch's BCELoss has it.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// losses[i] = the mean over outputs p of -(t log p + (1 - t) log(1 - p)), logarithms at least -100, and
/// d_output = (p - t) / max(p (1 - p), 1e-12) / (batch * outputs), the gradient of the mean loss; t is the
/// one-hot label, or with one output the label itself, 0 or 1; output is [N/NB][outputs][NB]; d_output may be
/// output.
void binary_cross_entropy(Blocked d_output, Floats losses, ConstBlocked output, Labels labels,
                          const MapGeometry& geometry, const LossBatch& batch);

/// The losses alone.
void binary_cross_entropy_loss(Floats losses, ConstBlocked output, Labels labels, const MapGeometry& geometry,
                               const LossBatch& batch);

}  // namespace cnn
