// The passes over the graph, and the pipelines that order them. Each pass takes a graph and returns another; layers and
// parameters keep their ids through all of them.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "ir/graph.hpp"

namespace cnnc::passes {

/// Which layers run as at prediction time: frozen ones, or all of them. One a layer.
using InferenceLayers = std::vector<bool>;

/// Takes out nodes that pass their input on: `identity`, and `dropout` where it runs as at prediction time.
ir::Graph remove_identities(const ir::Graph& graph, const InferenceLayers& inference);

/// Takes off a final layer that only turns logits into probabilities: cross_entropy works on logits.
ir::Graph separate_probabilities(const ir::Graph& graph);

/// Takes out nodes whose output nobody reads.
ir::Graph remove_dead_nodes(const ir::Graph& graph);

/// Gives each node the card of its kernels, where its layer's arguments call for others than the layer's own card has.
ir::Graph choose_kernels(const ir::Graph& graph);

/// Puts activations that a max pool follows behind it, where that saves work.
ir::Graph move_activations_behind_pools(const ir::Graph& graph, const InferenceLayers& inference);

/// Called with a pass's name and its result, for --dump-after=PASS.
using Observer = std::function<void(std::string_view pass, const ir::Graph&)>;

/// The graph that a function runs; verified after each pass. `logits`: end before final probabilities.
ir::Graph run_pipeline(const ir::Graph& graph, const InferenceLayers& inference, bool logits, const Observer& observer);

}  // namespace cnnc::passes
