// Lowering: walks the model once, in definition order.
#include "lower/lower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "support/internal_error.hpp"

namespace cnnc::lower {

namespace {

class Lowering {
 public:
  Lowering(const sema::Model& model, const Sources& sources) : sources_(sources) {
    graph_.name = model.name;
    graph_.input = add_value(model.input, {});
    graph_.output = lower_sequence(model.body, graph_.input);
  }

  ir::Graph take() { return std::move(graph_); }

 private:
  ir::TensorId add_value(const ir::Shape& shape, ir::NodeId producer) {
    graph_.tensors.push_back({shape, producer});
    return {static_cast<std::int32_t>(graph_.tensors.size()) - 1};
  }

  ir::LayerId add_layer(const ir::Layer& layer) {
    graph_.layers.push_back(layer);
    graph_.layers.back().line = line_of(layer.range);
    return {static_cast<std::int32_t>(graph_.layers.size()) - 1};
  }

  // The spec is the first file that was read.
  ir::SpecLine line_of(Range range) const {
    const SourceFile& file = sources_.file(range.file);
    const int number = file.position(range.begin).line;
    std::string_view text = file.line(number);
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    const std::string& name = file.name();
    return {range.file == 0 ? "" : name.substr(name.find_last_of("/\\") + 1), number, std::string(text)};
  }

  ir::TensorId add_node(const ir::OpDef& op, ir::LayerId layer, const ir::ArgumentValues& arguments,
                       std::vector<ir::TensorId> inputs) {
    ir::Node node{.op = &op, .layer = layer, .arguments = arguments, .inputs = std::move(inputs), .output = {}, .parameters = {}};
    const auto shapes = graph_.input_shapes(node);
    const ir::Inference inference = op.infer({.inputs = shapes, .arguments = arguments});
    const auto* inferred = std::get_if<ir::Inferred>(&inference);
    const std::string& path = graph_.layer(layer).path;
    ensure(inferred != nullptr, "lower", fmt::format("'{}' got inputs that sema accepted and its card does not", path));
    for (const ir::ParameterDef& definition : inferred->parameters) {
      graph_.parameters.push_back({fmt::format("{}.{}", ir::weight_path(path), definition.name), definition.extents,
                                   definition.initializer, definition.statistic, layer});
      node.parameters.push_back({static_cast<std::int32_t>(graph_.parameters.size()) - 1});
    }
    if (op.traits.random) node.stream = streams_++;
    const ir::NodeId id{static_cast<std::int32_t>(graph_.nodes.size())};
    node.output = add_value(inferred->output, id);
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back().output;
  }

  ir::TensorId lower_sequence(const sema::Sequence& sequence, ir::TensorId current) {
    for (const sema::Item& item : sequence) {
      current = std::visit([&](const auto& form) { return lower_item(form, current); }, item.form);
    }
    return current;
  }

  ir::TensorId lower_item(const sema::LayerCall& call, ir::TensorId current) {
    const ir::LayerId layer = add_layer(call.layer);
    current = add_node(*call.layer.op, layer, call.layer.arguments, {current});
    if (const ir::OpDef* activation = call.layer.activation) {
      current = add_node(*activation, layer, ir::default_arguments(*activation), {current});
    }
    return taps_[call.layer.path] = current;
  }

  ir::TensorId lower_item(const sema::Merge& merge, ir::TensorId current) {
    std::vector<ir::TensorId> arms;
    for (const sema::Sequence& arm : merge.arms) arms.push_back(lower_sequence(arm, current));
    return taps_[merge.layer.path] = add_node(*merge.layer.op, add_layer(merge.layer), merge.layer.arguments, arms);
  }

  ir::TensorId lower_item(const sema::Tap& tap, ir::TensorId) {
    const auto found = taps_.find(tap.path);
    ensure(found != taps_.end(), "lower", fmt::format("the tap '{}' names nothing", tap.path));
    return found->second;
  }

  ir::TensorId lower_item(const sema::Section& section, ir::TensorId current) {
    current = lower_sequence(section.body, current);
    if (!section.path.empty()) taps_[section.path] = current;
    return current;
  }

  // Its arm leaves the current tensor as it was.
  ir::TensorId lower_item(const sema::Auxiliary& head, ir::TensorId current) {
    graph_.auxiliaries.push_back({head.path, head.weight, lower_sequence(head.body, current)});
    return current;
  }

  const Sources& sources_;
  ir::Graph graph_;
  std::map<std::string, ir::TensorId> taps_;
  std::int64_t streams_ = 0;
};

}  // namespace

ir::Graph lower(const sema::Model& model, const Sources& sources) {
  ir::Graph graph = Lowering(model, sources).take();
  ir::verify(graph);
  return graph;
}

}  // namespace cnnc::lower
