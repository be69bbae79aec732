// The pass that takes out nodes that pass their input on.
#include "passes/passes.hpp"

namespace cnnc::passes {

namespace {

bool passes_on(const ir::Graph& graph, const ir::Node& node, const InferenceLayers& inference) {
  const ir::Traits& traits = node.op->traits;
  if (!traits.identity_in_inference) return false;
  const bool always = !traits.random;
  return (always || inference.at(static_cast<std::size_t>(node.layer.index))) &&
         graph.tensor(node.inputs.front()).shape == graph.tensor(node.output).shape;
}

}  // namespace

ir::Graph remove_identities(const ir::Graph& graph, const InferenceLayers& inference) {
  ir::Graph result = graph;
  result.nodes.clear();
  std::vector<ir::TensorId> stands_for(graph.tensors.size());
  for (std::size_t i = 0; i < stands_for.size(); ++i) stands_for[i] = {static_cast<std::int32_t>(i)};
  const auto replace = [&](ir::TensorId& value) { value = stands_for.at(static_cast<std::size_t>(value.index)); };
  for (ir::Node node : graph.nodes) {
    for (ir::TensorId& input : node.inputs) replace(input);
    if (passes_on(graph, node, inference)) {
      stands_for.at(static_cast<std::size_t>(node.output.index)) = node.inputs.front();
      continue;
    }
    result.tensors.at(static_cast<std::size_t>(node.output.index)).producer = {static_cast<std::int32_t>(result.nodes.size())};
    result.nodes.push_back(std::move(node));
  }
  replace(result.output);
  for (ir::AuxiliaryHead& head : result.auxiliaries) replace(head.output);
  return result;
}

}  // namespace cnnc::passes
