// A pass over a part of the data as at prediction time.
#pragma once

#include <optional>

#include "cnn/data/dataset.hpp"
#include "cnn/network/network.hpp"
#include "run_record.hpp"

namespace cnn::program {

/// Loss and metrics over all images of `part`, `batch` at once; nothing where a signal came in between
/// (InterruptWatch).
std::optional<Evaluation> evaluate_part(Network& network, const Dataset& data, Part part, int batch);

}  // namespace cnn::program
