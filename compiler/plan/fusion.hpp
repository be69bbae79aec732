// Which nodes need no call of their own, because the kernels before or behind them do their work on the way.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "ir/graph.hpp"
#include "plan/storage.hpp"

namespace cnnc::plan {

/// What a node's kernel does to its sums before it stores them, in this order, and the value that it then stores.
struct FusedEpilogue {
  std::optional<std::size_t> affine;    // the node whose scale and shift
  std::optional<ir::TensorId> addend;
  std::string_view activation;          // of cnn::Activation; empty: none
  ir::TensorId result;
};

/// Nodes that one kernel runs at the place of the first.
struct JoinedNodes {
  std::vector<std::size_t> nodes;
  ir::JoinedKernel kernel;
};

/// A value that is never stored: its readers make it of another as they load that.
struct Deferred {
  ir::TensorId from;                    // for a placement's output itself: its arms' inputs lie in its memory
  std::size_t affine = 0;               // the node whose scale and shift; a placement's are those of its arms, as one table
  std::string_view activation;
};

/// An arm of a placement whose readers scale and shift what they load: the arm's input lies where the arm would.
struct DeferredArm {
  std::size_t placement = 0;            // the node whose table has the arm's scales and shifts among its own
  std::int64_t channel = 0;             // from which channel on
};

struct Fusion {
  std::vector<bool> absorbed;                        // by node: no call forward
  std::vector<bool> absorbed_backward;               // by node: its output's gradient is its input's
  std::vector<bool> affine;                          // by node: only scale and shift are made, its output isn't
  std::vector<std::string_view> activation;          // by node: the activation behind it that it does itself
  std::vector<ir::TensorId> result;                  // by node: what its call stores
  std::map<std::size_t, FusedEpilogue> epilogues;    // by node with a call
  std::vector<std::optional<Deferred>> deferred;     // by value
  std::map<std::size_t, DeferredArm> deferred_arms;  // by the arm's node that makes scale and shift
  std::map<std::size_t, JoinedNodes> chains;         // by first node; the others are absorbed
  std::map<std::size_t, JoinedNodes> siblings;       // the same; each stores its own result
  std::map<std::size_t, std::string_view> through;   // by node: the activation before it whose gradient its own backward call passes
};

/// Decides; `modes` says how the function runs each node, `batch` images in blocks of `block`. Nothing that a backward pass reads
/// is left out.
Fusion fuse(const ir::Graph& graph, const std::vector<NodeMode>& modes, std::int64_t block, std::int64_t batch, ir::Precision precision);

}  // namespace cnnc::plan
