// Networks so small that sixteen images side by side fill vectors better than a map's pixels do.
#pragma once

#include "ir/graph.hpp"

namespace cnnc::plan {

/// Images of a block where kernels work on lanes.
inline constexpr std::int64_t kLanesBlock = 16;

/// Whether the network runs on lanes: layout [N/16][C][H][W][16]. Every layer has a kernel for it, a block of the largest
/// tensor stays in a second-level cache, and a batch fills a block.
bool suits_lanes(const ir::Graph& graph, std::int64_t batch);

/// The graph with the cards whose kernels work on lanes.
ir::Graph on_lanes(const ir::Graph& graph, std::int64_t batch);

}  // namespace cnnc::plan
