// Networks so small that waiting for other threads behind each layer costs more than sharing its work gains.
#pragma once

#include <cstdint>

#include "ir/graph.hpp"

namespace cnnc::plan {

/// The most parts of a batch, each with gradients of its own. Not the number of threads: results don't depend on how many there are.
inline constexpr std::int64_t kMostParts = 8;

/// Images that one task takes through all layers by itself, whole blocks of them; 0 where all threads work on each layer. Parts
/// are for networks on lanes whose layers see one image at a time, with batches that make work for four threads and gradients
/// that are quickly added up.
std::int64_t choose_part(const ir::Graph& graph, std::int64_t batch);

}  // namespace cnnc::plan
