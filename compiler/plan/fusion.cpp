// Rewrites, each of which needs a value that one node alone reads:
//   a layer with batch statistics and the activation that cuts off behind it are one kernel, forward and backward;
//   a scale and shift, a sum with a value that exists by then, and such an activation are done by the kernel before them;
//   a scale and shift (and activation) that no kernel before it does are done by its readers, if all of them can,
//     and those of all arms of a concat by the concat's readers;
//   layers for which a card knows one kernel are one, where none of them learns;
//   an activation that cuts off, behind which nothing else reads its output, has its gradient from the reader's backward call, in
//     the output's place: both gradients' work is one pass, and the value is gone when its gradient comes.
// And one that leaves out nothing but calls: layers that read the same value, for which a card knows one kernel, are one.
#include "plan/fusion.hpp"

#include <algorithm>

namespace cnnc::plan {

namespace {

class Fusing {
 public:
  Fusing(const ir::Graph& graph, const std::vector<NodeMode>& modes, std::int64_t block, std::int64_t batch, ir::Precision precision)
      : graph_(graph), modes_(modes), block_(block), batch_(batch), precision_(precision), readers_(graph.tensors.size()), outlives_(graph.tensors.size(), false) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const ir::TensorId input : graph.nodes[i].inputs) readers_[index(input)].push_back(i);
      fusion_.result.push_back(graph.nodes[i].output);
    }
    outlives_[index(graph.output)] = true;
    for (const ir::AuxiliaryHead& head : graph.auxiliaries) outlives_[index(head.output)] = true;
    fusion_.absorbed.assign(graph.nodes.size(), false);
    fusion_.absorbed_backward.assign(graph.nodes.size(), false);
    fusion_.affine.assign(graph.nodes.size(), false);
    fusion_.activation.assign(graph.nodes.size(), {});
    fusion_.deferred.assign(graph.tensors.size(), std::nullopt);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) take_activation(i);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) follow_epilogue(i);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) defer(i);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) defer_arms(i);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) join(i);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) pass_gradient(i);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) join_siblings(i);
    for (const auto& [head, joined] : fusion_.siblings) {
      for (const std::size_t number : joined.nodes) fusion_.absorbed[number] = number != head;
    }
  }

  Fusion take() { return std::move(fusion_); }

 private:
  static std::size_t index(ir::TensorId value) { return static_cast<std::size_t>(value.index); }

  // The one node that reads a value which nothing else needs.
  std::optional<std::size_t> only_reader(ir::TensorId value) const {
    const auto& readers = readers_[index(value)];
    if (readers.size() != 1 || outlives_[index(value)]) return std::nullopt;
    return readers.front();
  }

  std::string_view cuts_off(std::size_t node) const { return graph_.nodes[node].op->traits.cuts_off; }

  // A node whose calls have kActivation does the activation behind it, if all that its gradient needs is in its own calls.
  void take_activation(std::size_t number) {
    const NodeMode& mode = modes_[number];
    if (!mode.calls->forward.takes(ir::Role::kActivation)) return;
    const auto reader = only_reader(graph_.nodes[number].output);
    if (!reader || cuts_off(*reader).empty()) return;
    const bool own_gradient = mode.calls->backward_params && mode.calls->backward_params->takes(ir::Role::kActivation);
    fusion_.activation[number] = cuts_off(*reader);
    fusion_.absorbed[*reader] = true;
    fusion_.absorbed_backward[*reader] = own_gradient;
    fusion_.result[number] = graph_.nodes[*reader].output;
  }

  void follow_epilogue(std::size_t number) {
    if (!modes_[number].calls->forward.takes(ir::Role::kEpilogue)) return;
    FusedEpilogue epilogue{.affine = {}, .addend = {}, .activation = {}, .result = graph_.nodes[number].output};
    for (auto reader = only_reader(epilogue.result); reader; reader = only_reader(epilogue.result)) {
      if (fusion_.absorbed[*reader] || !extend(epilogue, number, *reader)) break;
      fusion_.absorbed[*reader] = true;
      epilogue.result = fusion_.result[*reader];
      if (!epilogue.activation.empty()) break;
    }
    fusion_.result[number] = epilogue.result;
    fusion_.epilogues.emplace(number, epilogue);
  }

  // Whether `reader` can be done by the kernel of node `head`, behind what `epilogue` has already.
  bool extend(FusedEpilogue& epilogue, std::size_t head, std::size_t reader) {
    const ir::Node& node = graph_.nodes[reader];
    const NodeMode& mode = modes_[reader];
    if (!cuts_off(reader).empty()) {
      epilogue.activation = cuts_off(reader);
      return true;
    }
    if (mode.calls->as_affine && !mode.calls->as_affine->takes(ir::Role::kInputs) && !epilogue.affine && !epilogue.addend) {
      if (mode.backward_reads_inputs) return false;
      epilogue.affine = reader;
      epilogue.activation = fusion_.activation[reader];
      return true;
    }
    if (!node.op->traits.sums || node.inputs.size() != 2 || epilogue.addend) return false;
    const ir::TensorId other = node.inputs[node.inputs[0] == epilogue.result ? 1 : 0];
    if (other == epilogue.result || !stored_before(other, head)) return false;
    epilogue.addend = other;
    // A sum that would have done its activation itself leaves that to the kernel.
    epilogue.activation = fusion_.activation[reader];
    return true;
  }

  // Whether a value is in memory when node `head` runs.
  bool stored_before(ir::TensorId value, std::size_t head) const {
    if (!graph_.tensor(value).producer.valid()) return true;
    const auto writer = writer_of(value);
    return writer && *writer < head;
  }

  void defer(std::size_t number) {
    const ir::Node& node = graph_.nodes[number];
    const NodeMode& mode = modes_[number];
    if (fusion_.absorbed[number] || !mode.calls->as_affine) return;
    const ir::TensorId value = fusion_.result[number];
    const auto& readers = readers_[index(value)];
    if (outlives_[index(value)] || readers.empty()) return;
    if (!std::ranges::all_of(readers, [&](std::size_t reader) { return loads(reader); })) return;
    if (activation_reads_output(number)) return;
    fusion_.affine[number] = true;
    fusion_.deferred[index(value)] = Deferred{node.inputs.front(), number, fusion_.activation[number]};
  }

  // An activation whose backward pass is its own reads its output.
  bool activation_reads_output(std::size_t number) const {
    if (fusion_.activation[number].empty()) return false;
    const auto activation = static_cast<std::size_t>(graph_.tensor(fusion_.result[number]).producer.index);
    return modes_[activation].differentiated() && !fusion_.absorbed_backward[activation];
  }

  // A concat whose readers all load, and whose arms all end in batch statistics and one activation: what those would have read
  // is joined instead, and so are their scales and shifts.
  void defer_arms(std::size_t number) {
    const ir::Node& node = graph_.nodes[number];
    const auto& readers = readers_[index(node.output)];
    if (!node.op->traits.placement || outlives_[index(node.output)] || readers.empty()) return;
    if (!std::ranges::all_of(readers, [&](std::size_t reader) { return loads(reader); })) return;
    std::vector<std::size_t> arms;
    if (!gather_arms(number, arms)) return;
    std::int64_t channel = 0;
    for (const std::size_t arm : arms) {
      fusion_.affine[arm] = true;
      fusion_.deferred_arms.emplace(arm, DeferredArm{number, channel});
      channel += graph_.tensor(graph_.nodes[arm].output).shape.channels;
    }
    fusion_.deferred[index(node.output)] = Deferred{node.output, number, fusion_.activation[arms.front()]};
  }

  // The nodes whose scales and shifts a placement's arms are, also of placements within; false if an arm is something else.
  bool gather_arms(std::size_t placement, std::vector<std::size_t>& arms) const {
    for (const ir::TensorId value : graph_.nodes[placement].inputs) {
      const auto writer = writer_of(value);
      if (!writer || only_reader(value) != placement) return false;
      const ir::Node& node = graph_.nodes[*writer];
      if (node.op->traits.placement) {
        if (!gather_arms(*writer, arms)) return false;
        continue;
      }
      const auto& as_affine = modes_[*writer].calls->as_affine;
      if (!as_affine || !as_affine->takes(ir::Role::kInputs) || activation_reads_output(*writer)) return false;
      const ir::TensorId input = node.inputs.front();
      if (!graph_.tensor(input).producer.valid() || only_reader(input) != *writer) return false;
      // One card, so that all tables have the same kinds of numbers.
      const std::size_t first = arms.empty() ? *writer : arms.front();
      if (graph_.nodes[first].op != node.op || fusion_.activation[first] != fusion_.activation[*writer]) return false;
      arms.push_back(*writer);
    }
    return true;
  }

  bool loads(std::size_t reader) const {
    const NodeMode& mode = modes_[reader];
    if (fusion_.absorbed[reader] || is_view(graph_, graph_.nodes[reader], block_, batch_)) return false;
    return mode.calls->forward.takes(ir::Role::kLoaded) && !mode.backward_reads_inputs_stored;
  }

  // A node whose card knows a kernel for it and its neighbours: those before and behind, or those behind alone.
  void join(std::size_t number) {
    if (graph_.nodes[number].op->chain == nullptr || !links(number)) return;
    const auto next = only_reader(fusion_.result[number]);
    if (!next || !links(*next)) return;
    const auto before = writer_of(graph_.nodes[number].inputs.front());
    if (before && links(*before) && only_reader(fusion_.result[*before]) == number && join({*before, number, *next})) return;
    join({number, *next});
  }

  bool join(const std::vector<std::size_t>& nodes) {
    const std::size_t head = nodes.front();
    for (const std::size_t number : nodes) {
      // What the last one adds must be there where the first one stood.
      const auto& addend = fusion_.epilogues.at(number).addend;
      if (addend && (number != nodes.back() || !stored_before(*addend, head))) return false;
    }
    const auto knows = std::ranges::find_if(nodes, [&](std::size_t number) { return graph_.nodes[number].op->chain != nullptr; });
    auto kernel = graph_.nodes[*knows].op->chain(JoinedLayers(*this, nodes).layers);
    if (!kernel) return false;
    for (const std::size_t number : nodes) fusion_.absorbed[number] = number != head;
    fusion_.result[head] = fusion_.result[nodes.back()];
    fusion_.chains.emplace(head, JoinedNodes{nodes, std::move(*kernel)});
    return true;
  }

  // An activation whose output this node alone reads, if its backward call can put the activation's own gradient in that output's place.
  void pass_gradient(std::size_t number) {
    const ir::Node& node = graph_.nodes[number];
    const NodeMode& mode = modes_[number];
    if (node.inputs.size() != 1 || !mode.passes_back || !mode.calls->backward_input || !mode.calls->backward_input->cuts_off) return;
    if (mode.learns && mode.calls->backward) return;
    const ir::TensorId value = node.inputs.front();
    const ir::NodeId activation = graph_.tensor(value).producer;
    if (!activation.valid() || only_reader(value) != number || fusion_.deferred[index(value)]) return;
    const auto before = static_cast<std::size_t>(activation.index);
    if (cuts_off(before).empty() || fusion_.absorbed_backward[before] || !modes_[before].differentiated()) return;
    fusion_.absorbed_backward[before] = true;
    fusion_.through.emplace(number, cuts_off(before));
  }

  // What cards are told of nodes that may become one kernel.
  struct JoinedLayers {
    std::vector<std::vector<ir::Shape>> shapes;
    std::vector<ir::OpContext> contexts;
    std::vector<ir::JoinedLayer> layers;

    JoinedLayers(const Fusing& fusing, const std::vector<std::size_t>& nodes) {
      shapes.reserve(nodes.size());
      contexts.reserve(nodes.size());
      for (const std::size_t number : nodes) {
        const ir::Node& node = fusing.graph_.nodes[number];
        shapes.push_back(fusing.graph_.input_shapes(node));
        contexts.push_back(fusing.graph_.context(node, shapes.back(), fusing.block_, fusing.batch_));
        layers.push_back({node.op, &contexts.back()});
      }
    }
  };

  // Whether a node can be part of a chain: what it stores is read by no gradient.
  bool links(std::size_t number) const {
    return !fusion_.absorbed[number] && !fusion_.chains.contains(number) && !modes_[number].differentiated() && fusion_.epilogues.contains(number);
  }

  // A node and those behind it that read the same value, as many as the card has one kernel for.
  void join_siblings(std::size_t head) {
    if (!is_sibling(head, head)) return;
    JoinedNodes joined{{head}, {}};
    for (const std::size_t other : readers_[index(graph_.nodes[head].inputs.front())]) {
      if (other <= head || !is_sibling(other, head)) continue;
      joined.nodes.push_back(other);
      if (auto kernel = graph_.nodes[head].op->siblings(JoinedLayers(*this, joined.nodes).layers, precision_)) {
        joined.kernel = std::move(*kernel);
      } else {
        joined.nodes.pop_back();
      }
    }
    if (joined.nodes.size() > 1) fusion_.siblings.emplace(head, std::move(joined));
  }

  // Whether a node can run at the place of node `head`, in one kernel with it.
  bool is_sibling(std::size_t number, std::size_t head) const {
    const ir::OpDef& op = *graph_.nodes[number].op;
    if (op.siblings == nullptr || op.siblings != graph_.nodes[head].op->siblings || !fusion_.epilogues.contains(number)) return false;
    if (fusion_.absorbed[number] || fusion_.chains.contains(number)) return false;
    const auto has = [&](const auto& joined) { return std::ranges::find(joined.second.nodes, number) != joined.second.nodes.end(); };
    if (std::ranges::any_of(fusion_.siblings, has)) return false;
    const auto& addend = fusion_.epilogues.at(number).addend;
    return !addend || stored_before(*addend, head);
  }

  // The node whose call stores a value.
  std::optional<std::size_t> writer_of(ir::TensorId value) const {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (fusion_.result[i] == value && !fusion_.absorbed[i]) return i;
    }
    return std::nullopt;
  }

  const ir::Graph& graph_;
  const std::vector<NodeMode>& modes_;
  std::int64_t block_, batch_;
  ir::Precision precision_;
  std::vector<std::vector<std::size_t>> readers_;
  std::vector<bool> outlives_;
  Fusion fusion_;
};

}  // namespace

Fusion fuse(const ir::Graph& graph, const std::vector<NodeMode>& modes, std::int64_t block, std::int64_t batch, ir::Precision precision) {
  return Fusing(graph, modes, block, batch, precision).take();
}

}  // namespace cnnc::plan
