// LeNet-5's maximum a posteriori criterion over the outputs of `rbf` (LeCun et al. 1998, equation 9).
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// losses[i] = -scores[label i] + log(e^-j + sum over classes of e^score), scores being minus the paper's
/// penalties, and d_scores, the gradient of the mean loss: an imagined rubbish class of penalty j keeps wrong
/// classes that are far away already from being pushed further. Scores are flat, [N/NB][classes][NB];
/// d_scores may be scores.
void lenet5_map(Blocked d_scores, Floats losses, ConstBlocked scores, Labels labels, float j,
                const MapGeometry& geometry, const LossBatch& batch);

/// The losses alone.
void lenet5_map_loss(Floats losses, ConstBlocked scores, Labels labels, float j, const MapGeometry& geometry,
                     const LossBatch& batch);

}  // namespace cnn
