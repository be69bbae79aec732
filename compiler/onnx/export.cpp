// Layers' forms put together: names made unique, constants and weights as initializers.
#include "onnx/export.hpp"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <set>
#include <stdexcept>

#include "support/internal_error.hpp"

namespace cnnc::onnx {

namespace {

namespace pb = ::ONNX_NAMESPACE;

constexpr int kOpset = 13, kIrVersion = 7;  // 7 came with opset 12 and 13

void set_extents(pb::TensorProto& tensor, const std::vector<std::int64_t>& extents) {
  for (const std::int64_t extent : extents) tensor.add_dims(extent);
}

// The format is little-endian, as are the machines that cnnc runs on.
template <class T>
void set_values(pb::TensorProto& tensor, std::span<const T> values) {
  tensor.set_data_type(std::is_same_v<T, float> ? pb::TensorProto::FLOAT : pb::TensorProto::INT64);
  tensor.mutable_raw_data()->assign(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

void set_attribute(pb::AttributeProto& proto, const ir::OnnxAttribute& attribute) {
  proto.set_name(std::string(attribute.name));
  if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
    proto.set_type(pb::AttributeProto::INT);
    proto.set_i(*number);
  } else if (const auto* real = std::get_if<double>(&attribute.value)) {
    proto.set_type(pb::AttributeProto::FLOAT);
    proto.set_f(static_cast<float>(*real));
  } else if (const auto* text = std::get_if<std::string_view>(&attribute.value)) {
    proto.set_type(pb::AttributeProto::STRING);
    proto.set_s(std::string(*text));
  } else {
    proto.set_type(pb::AttributeProto::INTS);
    for (const std::int64_t each : std::get<std::vector<std::int64_t>>(attribute.value)) proto.add_ints(each);
  }
}

void set_value_info(pb::ValueInfoProto& info, const std::string& name, const ir::Shape& shape) {
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(pb::TensorProto::FLOAT);
  tensor.mutable_shape()->add_dim()->set_dim_param("batch");
  tensor.mutable_shape()->add_dim()->set_dim_value(shape.channels);
  if (shape.flat) return;
  tensor.mutable_shape()->add_dim()->set_dim_value(shape.height);
  tensor.mutable_shape()->add_dim()->set_dim_value(shape.width);
}

class Export {
 public:
  Export(const ir::Graph& graph, const Weights& weights, pb::GraphProto& proto)
      : graph_(graph), weights_(weights), proto_(proto), values_(graph.tensors.size()) {}

  void run() {
    proto_.set_name(graph_.name);
    values_[index(graph_.input)] = "input";
    set_value_info(*proto_.add_input(), "input", graph_.tensor(graph_.input).shape);
    for (const ir::Node& node : graph_.nodes) add(node);
    pb::NodeProto& last = *proto_.add_node();
    last.set_op_type("Identity");
    last.set_name("/output");  // no layer can be called so
    last.add_input(values_[index(graph_.output)]);
    last.add_output("output");
    set_value_info(*proto_.add_output(), "output", graph_.tensor(graph_.output).shape);
  }

 private:
  static std::size_t index(ir::TensorId id) { return static_cast<std::size_t>(id.index); }

  // A layer's path, with the activation of `act=` as a part of its own.
  std::string unique_prefix(const ir::Node& node) {
    std::string prefix = graph_.layer(node.layer).path;
    if (graph_.layer(node.layer).op != node.op) prefix += fmt::format(".{}", node.op->name);
    ensure(prefixes_.insert(prefix).second, "onnx", fmt::format("'{}' is exported twice", prefix));
    return prefix;
  }

  void add(const ir::Node& node) {
    const auto shapes = graph_.input_shapes(node);
    if (node.op->onnx == nullptr) {
      ensure(node.op->traits.identity_in_inference, "onnx",
             fmt::format("'{}' has no form in ONNX", node.op->name));
      values_[index(node.output)] = values_[index(node.inputs.front())];
      return;
    }
    const ir::OnnxForm form = node.op->onnx(graph_.context(node, shapes, 1, 1));
    const std::string prefix = unique_prefix(node);
    std::map<std::string, std::string> names = {{"output", prefix + ".output"}, {"", ""}};
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      names[fmt::format("input{}", i)] = values_[index(node.inputs[i])];
    for (const ir::ParameterId id : node.parameters) add_parameter(graph_.parameter(id), names);
    for (const ir::OnnxConstant& constant : form.constants) {
      names[constant.name] = fmt::format("{}.{}", prefix, constant.name);
      pb::TensorProto& tensor = *proto_.add_initializer();
      tensor.set_name(names[constant.name]);
      set_extents(tensor, constant.extents);
      std::visit([&](const auto& values) { set_values(tensor, std::span(values)); }, constant.values);
    }
    for (const ir::OnnxNode& each : form.nodes) add_operator(each, prefix, names);
    values_[index(node.output)] = names["output"];
  }

  void add_parameter(const ir::Parameter& parameter, std::map<std::string, std::string>& names) {
    names[parameter.name.substr(parameter.name.find_last_of('.') + 1)] = parameter.name;
    pb::TensorProto& tensor = *proto_.add_initializer();
    tensor.set_name(parameter.name);
    set_extents(tensor, parameter.extents);
    const std::span<const float> values = weights_(parameter);
    ensure(static_cast<std::int64_t>(values.size()) == parameter.elements(), "onnx",
           "weights of another size");
    bytes_ += values.size_bytes();
    if (bytes_ > kMostBytes)
      throw std::length_error("the model's weights pass 2 GiB, which one ONNX file can't hold");
    set_values(tensor, values);
  }

  void add_operator(const ir::OnnxNode& node, const std::string& prefix,
                    std::map<std::string, std::string>& names) {
    if (node.output != "output") names[node.output] = fmt::format("{}.{}", prefix, node.output);
    pb::NodeProto& proto = *proto_.add_node();
    proto.set_op_type(std::string(node.type));
    proto.set_name(node.output == "output" ? prefix : names[node.output]);
    for (const std::string& input : node.inputs) {
      ensure(names.contains(input), "onnx",
             fmt::format("'{}' of '{}' is nothing that it has", input, prefix));
      proto.add_input(names[input]);
    }
    proto.add_output(names[node.output]);
    for (const ir::OnnxAttribute& attribute : node.attributes)
      set_attribute(*proto.add_attribute(), attribute);
  }

  static constexpr std::size_t kMostBytes =
      (std::size_t{1} << 31) - (std::size_t{1} << 22);  // the rest is for the graph

  const ir::Graph& graph_;
  const Weights& weights_;
  pb::GraphProto& proto_;
  std::vector<std::string> values_;  // by tensor: its name in the file
  std::set<std::string> prefixes_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::string to_onnx(const ir::Graph& graph, const Weights& weights,
                    const std::map<std::string, std::string>& metadata, std::string_view compiler_version) {
  pb::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("cnnc");
  model.set_producer_version(std::string(compiler_version));
  model.add_opset_import()->set_version(kOpset);
  for (const auto& [key, value] : metadata) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  Export(graph, weights, *model.mutable_graph()).run();
  return model.SerializeAsString();
}

}  // namespace cnnc::onnx
