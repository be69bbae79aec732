// The pass that lets a pool choose before an activation works: max(f(x)) = f(max(x)) for a nondecreasing f. The activation has
// fewer elements to do, and the map before the pool need not be kept for its backward pass.
#include "passes/passes.hpp"

namespace cnnc::passes {

namespace {

std::size_t index(ir::TensorId value) {
  return static_cast<std::size_t>(value.index);
}

class Swapping {
 public:
  Swapping(const ir::Graph& graph, const InferenceLayers& inference)
      : graph_(graph), inference_(inference), readers_(graph.tensors.size(), 0) {
    for (const ir::Node& node : graph.nodes) {
      for (const ir::TensorId input : node.inputs) ++readers_[index(input)];
    }
    ++readers_[index(graph.output)];
    for (const ir::AuxiliaryHead& head : graph.auxiliaries) ++readers_[index(head.output)];
  }

  // Whether the pool's input is an activation that would better come after it. One that other kernels do on the way costs
  // nothing where it stands, unless its backward pass follows.
  bool applies(const ir::Node& pool) const {
    if (!pool.op->traits.selects) return false;
    const ir::NodeId producer = graph_.tensor(pool.inputs.front()).producer;
    if (!producer.valid() || readers_[index(pool.inputs.front())] != 1) return false;
    const ir::Node& activation = graph_.node(producer);
    const ir::Traits& traits = activation.op->traits;
    const bool free = !traits.cuts_off.empty() && inference_.at(static_cast<std::size_t>(activation.layer.index));
    return traits.monotone && activation.inputs.size() == 1 && !free;
  }

 private:
  const ir::Graph& graph_;
  const InferenceLayers& inference_;
  std::vector<int> readers_;
};

}  // namespace

ir::Graph move_activations_behind_pools(const ir::Graph& graph, const InferenceLayers& inference) {
  const Swapping swapping(graph, inference);
  ir::Graph result = graph;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!swapping.applies(graph.nodes[i])) continue;
    ir::Node pool = result.nodes[i];
    const auto before = static_cast<std::size_t>(graph.tensor(pool.inputs.front()).producer.index);
    ir::Node activation = result.nodes[before];
    // The pool takes the activation's place in the order of what it reads, the activation the pool's.
    pool.inputs.front() = activation.inputs.front();
    const ir::TensorId between = activation.output;
    activation.output = graph.nodes[i].output;
    pool.output = between;
    activation.inputs.front() = between;
    result.tensors[index(between)] = {result.tensors[index(activation.output)].shape, {static_cast<std::int32_t>(before)}};
    result.tensors[index(activation.output)].producer = {static_cast<std::int32_t>(i)};
    result.nodes[before] = std::move(pool);
    result.nodes[i] = std::move(activation);
  }
  return result;
}

}  // namespace cnnc::passes
