// The rule, and the choice of cards.
#include "plan/lanes.hpp"

#include <algorithm>

#include "passes/passes.hpp"

namespace cnnc::plan {

namespace {

constexpr std::int64_t kMostElements = 8192;  // of an image's tensor: 512 KiB for a block

bool is_flat(const ir::Shape& shape) {
  return shape.flat || shape.height * shape.width == 1;
}

// What a node's own kernel does for single elements, it does on lanes: their blocks are those of flat tensors.
bool element_by_element(const ir::Node& node) {
  const ir::Traits& traits = node.op->traits;
  if (traits.placement || traits.view) return true;
  return (traits.elementwise || traits.passes_gradient) && node.op->geometry_type == "MapGeometry";
}

enum class Fit { kNone, kAsItIs, kOwnKernel };

Fit fit(const ir::Graph& graph, const ir::Node& node, std::int64_t batch) {
  const auto shapes = graph.input_shapes(node);
  const ir::OpContext context = graph.context(node, shapes, kLanesBlock, batch);
  if (node.op->lanes != nullptr) return node.op->lanes(context) != nullptr ? Fit::kOwnKernel : Fit::kNone;
  const bool flat = is_flat(context.output) && std::ranges::all_of(shapes, is_flat);
  return flat || element_by_element(node) ? Fit::kAsItIs : Fit::kNone;
}

}  // namespace

bool suits_lanes(const ir::Graph& graph, std::int64_t batch) {
  if (batch < kLanesBlock) return false;
  const bool small = std::ranges::all_of(graph.tensors, [](const ir::Tensor& tensor) {
    return tensor.shape.elements() <= kMostElements;
  });
  if (!small) return false;
  bool maps = false;  // flat networks are products of matrices from the first layer to the last: a BLAS's work
  for (const ir::Node& node : passes::choose_kernels(graph).nodes) {
    const Fit found = fit(graph, node, batch);
    if (found == Fit::kNone) return false;
    maps |= found == Fit::kOwnKernel && !graph.tensor(node.inputs.front()).shape.flat;
  }
  return maps;
}

ir::Graph on_lanes(const ir::Graph& graph, std::int64_t batch) {
  ir::Graph result = graph;
  for (ir::Node& node : result.nodes) {
    if (node.op->lanes == nullptr) continue;
    const auto shapes = graph.input_shapes(node);
    node.op = node.op->lanes(graph.context(node, shapes, kLanesBlock, batch));
  }
  return result;
}

}  // namespace cnnc::plan
