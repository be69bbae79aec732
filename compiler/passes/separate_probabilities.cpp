// The pass that ends a graph with logits.
#include "passes/passes.hpp"

namespace cnnc::passes {

ir::Graph separate_probabilities(const ir::Graph& graph) {
  ir::Graph result = graph;
  const auto separate = [&](ir::TensorId& output) {
    const ir::NodeId last = graph.tensor(output).producer;
    if (last.valid() && graph.node(last).op->traits.probabilities) output = graph.node(last).inputs.front();
  };
  separate(result.output);
  for (ir::AuxiliaryHead& head : result.auxiliaries) separate(head.output);
  return result;  // the nodes themselves have no reader now: remove_dead_nodes takes them out
}

}  // namespace cnnc::passes
