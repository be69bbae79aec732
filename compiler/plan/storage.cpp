// Sharing of memory, decided from the last node to the first: an output's place is known before its inputs'.
#include "plan/storage.hpp"

#include <algorithm>

namespace cnnc::plan {

namespace {

class Sharing {
 public:
  Sharing(const ir::Graph& graph, const std::vector<NodeMode>& modes, const std::map<std::size_t, ir::TensorId>& replaced,
          std::int64_t block, std::int64_t batch)
      : graph_(graph), modes_(modes), replaced_(replaced), block_(block), batch_(batch), readers_(graph.tensors.size(), 0) {
    map_.values.resize(graph.tensors.size());
    map_.without_call.resize(graph.nodes.size(), false);
    for (const ir::Node& node : graph.nodes) {
      for (const ir::TensorId input : node.inputs) ++readers_.at(index(input));
    }
    ++readers_.at(index(graph.output));
    for (const ir::AuxiliaryHead& head : graph.auxiliaries) ++readers_.at(index(head.output));
    own(graph.input);
    for (std::size_t i = graph.nodes.size(); i-- > 0;) share(i);
  }

  StorageMap take() { return std::move(map_); }

 private:
  static std::size_t index(ir::TensorId value) { return static_cast<std::size_t>(value.index); }
  Storage& storage(ir::TensorId value) { return map_.values[index(value)]; }
  bool placed(ir::TensorId value) { return storage(value).root.valid(); }
  void own(ir::TensorId value) { storage(value) = {value, 0}; }

  bool is_view(const ir::Node& node) const { return plan::is_view(graph_, node, block_, batch_); }

  // Whether a reader may write its result over the value.
  bool overwritable(ir::TensorId value) const {
    const ir::NodeId producer = graph_.tensor(value).producer;
    if (!producer.valid() || readers_[index(value)] != 1) return false;
    const ir::Node& node = graph_.node(producer);
    if (node.op->traits.placement || modes_[static_cast<std::size_t>(producer.index)].backward_reads_output) return false;
    return !is_view(node) || overwritable(node.inputs.front());
  }

  void share(std::size_t number) {
    const ir::Node& node = graph_.nodes[number];
    if (!placed(node.output)) own(node.output);
    const Storage output = storage(node.output);
    if (node.op->traits.placement) return place_arms(node, output);
    if (node.inputs.size() != 1 || placed(node.inputs.front())) return;
    const ir::TensorId input = node.inputs.front();
    if (is_view(node)) {
      storage(input) = output;
      map_.without_call[number] = true;
    } else if (const auto found = replaced_.find(number); found != replaced_.end()) {
      storage(input) = storage(found->second);
    } else if (node.op->traits.elementwise && !modes_[number].backward_reads_inputs && overwritable(input)) {
      storage(input) = output;
    }
  }

  // An arm that has no place yet is written where the concat wants it; the others are copied there.
  void place_arms(const ir::Node& node, const Storage& output) {
    std::int64_t begin = output.begin;
    for (const ir::TensorId arm : node.inputs) {
      if (!placed(arm)) storage(arm) = {output.root, begin};
      begin += graph_.tensor(arm).shape.elements() * block_;
    }
  }

  const ir::Graph& graph_;
  const std::vector<NodeMode>& modes_;
  const std::map<std::size_t, ir::TensorId>& replaced_;
  std::int64_t block_, batch_;
  std::vector<int> readers_;
  StorageMap map_;
};

}  // namespace

bool is_view(const ir::Graph& graph, const ir::Node& node, std::int64_t block, std::int64_t batch) {
  if (!node.op->traits.view) return false;
  const auto shapes = graph.input_shapes(node);
  return node.op->is_view(graph.context(node, shapes, block, batch));
}

StorageMap share_storage(const ir::Graph& graph, const std::vector<NodeMode>& modes, const std::map<std::size_t, ir::TensorId>& replaced,
                         std::int64_t block, std::int64_t batch) {
  return Sharing(graph, modes, replaced, block, batch).take();
}

}  // namespace cnnc::plan
