// The mean squared difference of a flat output and the one-hot label, as PyTorch's MSELoss has it.
#pragma once

#include "cnn/core/types.hpp"

namespace cnn {

/// losses[i] = mean over classes of (output - one-hot)^2, and d_output = 2 * (output - one-hot) / (batch *
/// classes), the gradient of the mean loss; output is [N/NB][classes][NB]; d_output may be output.
void mean_squared_error(Blocked d_output, Floats losses, ConstBlocked output, Labels labels,
                        const MapGeometry& geometry, const LossBatch& batch);

/// The losses alone.
void mean_squared_error_loss(Floats losses, ConstBlocked output, Labels labels, const MapGeometry& geometry,
                             const LossBatch& batch);

}  // namespace cnn
