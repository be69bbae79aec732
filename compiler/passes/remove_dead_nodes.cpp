// The pass that takes out nodes whose output nobody reads.
#include "passes/passes.hpp"

namespace cnnc::passes {

ir::Graph remove_dead_nodes(const ir::Graph& graph) {
  std::vector<bool> read(graph.tensors.size(), false);
  const auto mark = [&](ir::TensorId value) { read.at(static_cast<std::size_t>(value.index)) = true; };
  mark(graph.output);
  for (const ir::AuxiliaryHead& head : graph.auxiliaries) mark(head.output);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!read.at(static_cast<std::size_t>(node->output.index))) continue;
    for (const ir::TensorId input : node->inputs) mark(input);
  }
  ir::Graph result = graph;
  result.nodes.clear();
  for (const ir::Node& node : graph.nodes) {
    if (!read.at(static_cast<std::size_t>(node.output.index))) continue;
    result.tensors.at(static_cast<std::size_t>(node.output.index)).producer = {static_cast<std::int32_t>(result.nodes.size())};
    result.nodes.push_back(node);
  }
  return result;
}

}  // namespace cnnc::passes
