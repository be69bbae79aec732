// Questions to the graph, its verification and its text form.
#include "ir/graph.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "support/internal_error.hpp"

namespace cnnc::ir {

std::string SpecLine::place() const {
  return file.empty() ? fmt::format("{}", number) : fmt::format("{}:{}", file, number);
}

std::int64_t Parameter::elements() const {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<Shape> Graph::input_shapes(const Node& node) const {
  std::vector<Shape> shapes;
  for (const TensorId input : node.inputs) shapes.push_back(tensor(input).shape);
  return shapes;
}

OpContext Graph::context(const Node& node, std::span<const Shape> shapes, std::int64_t block, std::int64_t batch) const {
  return {.inputs = shapes,
          .arguments = node.arguments,
          .output = tensor(node.output).shape,
          .block = block,
          .batch = batch,
          .stream = node.stream};
}

std::int64_t depth(const Graph& graph) {
  std::vector<std::int64_t> depths(graph.tensors.size(), 0);
  const auto at = [&](TensorId tensor) -> std::int64_t& { return depths.at(static_cast<std::size_t>(tensor.index)); };
  for (const Node& node : graph.nodes) {
    std::int64_t before = 0;
    for (const TensorId input : node.inputs) before = std::max(before, at(input));
    const bool counts = node.op->macs != nullptr && !node.parameters.empty();
    at(node.output) = before + (counts ? 1 : 0);
  }
  return at(graph.output);
}

std::string weight_path(std::string_view path) {
  std::string name;
  for (const char c : path) {
    if (c == '[') name += '.';
    else if (c != ']') name += c;
  }
  return name;
}

std::vector<LayerId> layers_without_kernels(const Graph& graph) {
  std::vector<LayerId> found;
  for (const Node& node : graph.nodes) {
    const auto shapes = graph.input_shapes(node);
    if (!has_kernels(kernel_card(*node.op, graph.context(node, shapes, 1, 1)))) found.push_back(node.layer);
  }
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

namespace {

void verify_node(const Graph& graph, const Node& node, NodeId id, std::vector<bool>& written) {
  const auto& path = graph.layer(node.layer).path;
  for (const TensorId input : node.inputs) {
    ensure(written.at(static_cast<std::size_t>(input.index)), "graph", path + " reads a value before it is computed");
  }
  ensure(graph.tensor(node.output).producer == id, "graph", path + " writes a value that another node produces");
  written.at(static_cast<std::size_t>(node.output.index)) = true;

  const auto shapes = graph.input_shapes(node);
  const Inference inference = node.op->infer({.inputs = shapes, .arguments = node.arguments});
  const auto* inferred = std::get_if<Inferred>(&inference);
  ensure(inferred != nullptr, "graph", path + " has inputs its card refuses");
  ensure(inferred->output == graph.tensor(node.output).shape, "graph", path + " has another shape than its card infers");
  ensure(inferred->parameters.size() == node.parameters.size(), "graph", path + " has other parameters than its card");
  for (std::size_t i = 0; i < node.parameters.size(); ++i) {
    ensure(inferred->parameters[i].extents == graph.parameter(node.parameters[i]).extents, "graph",
           path + " has a parameter of another shape than its card says");
  }
}

}  // namespace

void verify(const Graph& graph) {
  ensure(graph.input.valid() && graph.output.valid(), "graph", "no input or no output");
  std::vector<bool> written(graph.tensors.size(), false);
  written.at(static_cast<std::size_t>(graph.input.index)) = true;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    verify_node(graph, graph.nodes[i], NodeId{static_cast<std::int32_t>(i)}, written);
  }
  ensure(written.at(static_cast<std::size_t>(graph.output.index)), "graph", "the output is never computed");
}

std::string dump(const Graph& graph) {
  std::string text = fmt::format("graph {}\n  input %{} {}\n", graph.name, graph.input.index,
                                 to_text(graph.tensor(graph.input).shape));
  for (const Node& node : graph.nodes) {
    std::vector<std::string> inputs;
    for (const TensorId input : node.inputs) inputs.push_back(fmt::format("%{}", input.index));
    text += fmt::format("  %{} = {}({}) {}  # {}", node.output.index, node.op->name, fmt::join(inputs, ", "),
                        to_text(graph.tensor(node.output).shape), graph.layer(node.layer).path);
    for (const ParameterId id : node.parameters) {
      const Parameter& parameter = graph.parameter(id);
      text += fmt::format("  {}[{}]", parameter.name, fmt::join(parameter.extents, ", "));
    }
    text += "\n";
  }
  return text + fmt::format("  output %{}\n", graph.output.index);
}

}  // namespace cnnc::ir
