// The network as a graph: layers as the user wrote them, nodes that compute, values between them, parameters.
// Forward only; what a phase differentiates is the plan's affair.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "op_def.hpp"

namespace cnnc::ir {

/// An index into one of the graph's tables, typed so that tables can't be mixed up.
template <class Tag>
struct Id {
  std::int32_t index = -1;
  bool valid() const { return index >= 0; }
  friend auto operator<=>(const Id&, const Id&) = default;
};
using LayerId = Id<struct LayerTag>;
using NodeId = Id<struct NodeTag>;
using TensorId = Id<struct TensorTag>;
using ParameterId = Id<struct ParameterTag>;

/// A line of the spec, or of a file that it imports, for quoting.
struct SpecLine {
  std::string file;  // its name without a folder; empty: the spec itself
  int number = 0;
  std::string text;  // without indentation

  /// "12" or "blocks.cnn:12".
  std::string place() const;
};

/// One leaf call of the spec, in definition order: what `last 4 layers` counts.
struct Layer {
  std::string path;          // "features.conv1"
  const OpDef* op = nullptr;
  const OpDef* activation = nullptr;  // of `act=`, part of this layer
  ArgumentValues arguments;
  Range range;
  SpecLine line = {};
};

struct Node {
  const OpDef* op = nullptr;
  LayerId layer;
  ArgumentValues arguments;
  std::vector<TensorId> inputs;
  TensorId output;
  std::vector<ParameterId> parameters;  // trainable ones and statistics, in the card's order
  std::int64_t stream = 0;              // random stream, for ops with that trait
};

struct Tensor {
  Shape shape;
  NodeId producer;  // invalid: the network's input
};

struct Parameter {
  std::string name;  // as in a weights file: "features.conv1.weight"
  std::vector<std::int64_t> extents;
  Initializer initializer;
  bool statistic = false;
  LayerId layer;

  std::int64_t elements() const;
};

/// A head beside the network's own: in training its loss is added with `weight`, for prediction it is left out.
struct AuxiliaryHead {
  std::string path;
  double weight = 0;
  TensorId output;
};

/// Nodes stand in an order in which they can run.
struct Graph {
  std::string name;
  std::vector<Layer> layers;
  std::vector<Node> nodes;
  std::vector<Tensor> tensors;
  std::vector<Parameter> parameters;
  TensorId input;
  TensorId output;
  std::vector<AuxiliaryHead> auxiliaries;

  const Layer& layer(LayerId id) const { return layers.at(static_cast<std::size_t>(id.index)); }
  const Node& node(NodeId id) const { return nodes.at(static_cast<std::size_t>(id.index)); }
  const Tensor& tensor(TensorId id) const { return tensors.at(static_cast<std::size_t>(id.index)); }
  const Parameter& parameter(ParameterId id) const { return parameters.at(static_cast<std::size_t>(id.index)); }

  std::vector<Shape> input_shapes(const Node& node) const;
  /// The node as its card wants to be asked about it.
  /// The shapes are kept by the caller: `auto shapes = g.input_shapes(n); auto c = g.context(n, shapes, block, batch)`.
  OpContext context(const Node& node, std::span<const Shape> shapes, std::int64_t block, std::int64_t batch) const;
};

/// A path as weights files have it, where an index is a component of its own: features.layer2[0] -> features.layer2.0.
std::string weight_path(std::string_view path);

/// Layers, in definition order, that have no kernel yet: the graph can be checked, but no program made of it.
std::vector<LayerId> layers_without_kernels(const Graph& graph);

/// How deep the network is, as papers count: its convolutions and dense layers on the longest way from input to output.
std::int64_t depth(const Graph& graph);

/// Throws InternalError when an invariant does not hold: ids in range, order, shapes as the cards infer them.
void verify(const Graph& graph);

/// The graph as text, for --dump=graph.
std::string dump(const Graph& graph);

}  // namespace cnnc::ir
