// The rule.
#include "plan/parts.hpp"

#include <algorithm>

#include "passes/passes.hpp"
#include "plan/lanes.hpp"

namespace cnnc::plan {

namespace {

constexpr std::int64_t kLeastParts = 4;
constexpr std::int64_t kMostGradients = std::int64_t{1} << 18;  // floats of a part: a second-level cache's

// Whether calls read weights alone and what the batch's images are: no statistics of the batch, nothing prepared from call to call.
bool sees_one_image(const ir::Node& node) {
  const auto keeps_to_itself = [](const ir::Calls& calls) { return !calls.as_affine && calls.forward.prepare.function.empty(); };
  const ir::OpDef& card = *node.op;
  return !card.traits.batch_statistics && keeps_to_itself(card.training) && (!card.inference || keeps_to_itself(*card.inference));
}

}  // namespace

std::int64_t choose_part(const ir::Graph& graph, std::int64_t batch) {
  if (!suits_lanes(graph, batch)) return 0;
  const std::int64_t blocks = (batch + kLanesBlock - 1) / kLanesBlock;
  std::int64_t parameters = 0;
  for (const ir::Parameter& parameter : graph.parameters) parameters += parameter.elements();
  const ir::Graph chosen = on_lanes(passes::choose_kernels(graph), batch);
  if (blocks < kLeastParts || parameters > kMostGradients || !std::ranges::all_of(chosen.nodes, sees_one_image)) return 0;
  return (blocks + kMostParts - 1) / kMostParts * kLanesBlock;
}

}  // namespace cnnc::plan
