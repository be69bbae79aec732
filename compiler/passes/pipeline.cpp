// The order of the passes.
#include "passes/passes.hpp"

namespace cnnc::passes {

ir::Graph run_pipeline(const ir::Graph& graph, const InferenceLayers& inference, bool logits, const Observer& observer) {
  ir::Graph current = graph;
  const auto apply = [&](std::string_view name, ir::Graph next) {
    ir::verify(next);
    if (observer) observer(name, next);
    current = std::move(next);
  };
  if (logits) apply("separate_probabilities", separate_probabilities(current));
  apply("remove_identities", remove_identities(current, inference));
  apply("remove_dead_nodes", remove_dead_nodes(current));
  apply("choose_kernels", choose_kernels(current));
  apply("move_activations_behind_pools", move_activations_behind_pools(current, inference));
  return current;
}

}  // namespace cnnc::passes
