// Which values share memory: activations computed in place, arms of a concat written into its slices, views.
#pragma once

#include <map>
#include <vector>

#include "ir/graph.hpp"

namespace cnnc::plan {

/// How one function runs each node, and what its backward pass needs. One entry a node of the function's graph.
struct NodeMode {
  const ir::Calls* calls = nullptr;
  bool learns = false;               // backward_params is called
  bool passes_back = false;          // at least one input needs a gradient
  bool backward_reads_inputs = false, backward_reads_output = false, backward_reads_saved = false;
  bool backward_reads_inputs_stored = false;  // and can't make them of another value as it loads that
  bool differentiated() const { return learns || passes_back; }
};

/// Where a value lies: in `root`'s memory, `begin` floats into each of its blocks.
struct Storage {
  ir::TensorId root;
  std::int64_t begin = 0;
};

struct StorageMap {
  std::vector<Storage> values;         // by value
  std::vector<bool> without_call;      // by node: a view that needs no call
};

/// Whether a node needs no call, since its output is its input under another shape.
bool is_view(const ir::Graph& graph, const ir::Node& node, std::int64_t block, std::int64_t batch);

/// Decides who shares. A value's memory is written by others only where nobody reads it afterwards, forward or backward. `replaced`,
/// by node: a value that is never made, so that the node's input lies in its place.
StorageMap share_storage(const ir::Graph& graph, const std::vector<NodeMode>& modes, const std::map<std::size_t, ir::TensorId>& replaced,
                         std::int64_t block, std::int64_t batch);

}  // namespace cnnc::plan
