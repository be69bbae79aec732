// The forward half of a function.
#include "plan/function_builder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "support/internal_error.hpp"

namespace cnnc::plan {

namespace {

bool takes(const std::optional<ir::CallDef>& call, ir::Role role) {
  return call && call->takes(role);
}

std::int64_t blocks(std::int64_t batch, std::int64_t block) {
  return (batch + block - 1) / block;
}

}  // namespace

FunctionBuilder::FunctionBuilder(const FunctionRequest& request, Geometries& geometries, std::int64_t block,
                                 std::int64_t batch)
    : request_(request), graph_(request.graph), geometries_(geometries), block_(block), batch_(batch),
      names_(request.taken), contributions_(request.graph.tensors.size()) {
  function_.kind = request.kind;
  function_.name = request.name;
  function_.phase = request.phase;
}

Function FunctionBuilder::build() {
  decide_modes();
  fusion_ = fuse(graph_, modes_, block_, batch_, request_.precision);
  for (std::size_t i = 0; i < modes_.size(); ++i) modes_[i].backward_reads_output &= !fusion_.absorbed_backward[i];
  std::map<std::size_t, ir::TensorId> replaced;
  for (const auto& [arm, place] : fusion_.deferred_arms) replaced.emplace(arm, fusion_.result[arm]);
  storage_ = share_storage(graph_, modes_, replaced, block_, batch_);
  forward();
  finish();
  if (request_.kind == FunctionKind::kStep) backward();
  return std::move(function_);
}

void FunctionBuilder::decide_modes() {
  needs_gradient_.assign(graph_.tensors.size(), false);
  for (const ir::Node& node : graph_.nodes) {
    NodeMode mode;
    const bool inference = request_.inference.at(static_cast<std::size_t>(node.layer.index));
    mode.calls = inference && node.op->inference ? &*node.op->inference : &node.op->training;
    for (const ir::ParameterId id : node.parameters) {
      mode.learns |= request_.kind == FunctionKind::kStep && request_.learns.at(static_cast<std::size_t>(id.index));
    }
    for (const ir::TensorId input : node.inputs) mode.passes_back |= needs_gradient_[index(input)];
    const auto reads = [&](ir::Role role) {
      return (mode.learns && takes(mode.calls->backward_params, role)) ||
             (mode.passes_back && (takes(mode.calls->backward_input, role) || takes(mode.calls->backward, role)));
    };
    mode.backward_reads_inputs_stored = reads(ir::Role::kInputs);
    mode.backward_reads_inputs = mode.backward_reads_inputs_stored || reads(ir::Role::kLoaded);
    mode.backward_reads_output = reads(ir::Role::kOutput);
    mode.backward_reads_saved = reads(ir::Role::kSaved);
    needs_gradient_[index(node.output)] = mode.differentiated();
    modes_.push_back(mode);
  }
}

std::string FunctionBuilder::value_name(ir::TensorId value) const {
  const ir::NodeId producer = graph_.tensor(value).producer;
  if (!producer.valid()) return "input";
  const ir::Node& node = graph_.node(producer);
  const ir::Layer& layer = graph_.layer(node.layer);
  const std::string path = identifier(layer.path);
  // A layer with an activation has two values; the layer's own name is that of the last.
  const bool inner = layer.activation != nullptr && node.op != layer.activation && !continued_in_place(value);
  return inner ? fmt::format("{}_{}", path, node.op->name) : path;
}

// Whether the same layer goes on in the value's memory: its activation in place.
bool FunctionBuilder::continued_in_place(ir::TensorId value) const {
  const ir::NodeId producer = graph_.tensor(value).producer;
  const Storage& storage = storage_.values[index(value)];
  for (const ir::Node& node : graph_.nodes) {
    if (node.inputs.front() != value || node.layer != graph_.node(producer).layer) continue;
    const Storage& next = storage_.values[index(node.output)];
    return next.root == storage.root && next.begin == storage.begin;
  }
  return false;
}

int FunctionBuilder::new_blocked(const std::string& name, const ir::Shape& shape) {
  const std::int64_t stride = shape.elements() * block_;
  function_.buffers.push_back({.name = names_.give(name),
                               .kind = Buffer::Kind::kBlocked,
                               .shape = shape,
                               .elements = stride * blocks(batch_, block_),
                               .stride = stride});
  owners_.resize(function_.buffers.size());
  return static_cast<int>(function_.buffers.size()) - 1;
}

int FunctionBuilder::new_slice(const std::string& name, const ir::Shape& shape, int of, std::int64_t begin) {
  const Buffer whole = function_.buffers[static_cast<std::size_t>(of)];
  const int root = whole.slice_of >= 0 ? whole.slice_of : of;
  const int slice = new_blocked(name, shape);
  Buffer& buffer = function_.buffers[static_cast<std::size_t>(slice)];
  buffer.stride = whole.stride;
  buffer.slice_of = root;
  buffer.slice_begin = whole.slice_begin + begin;
  return slice;
}

int FunctionBuilder::buffer_of(ir::TensorId value) {
  if (const auto found = buffers_.find(value.index); found != buffers_.end()) return found->second;
  const Storage& storage = storage_.values[index(value)];
  const ir::Shape& shape = graph_.tensor(value).shape;
  int buffer = -1;
  if (storage.root == value) {
    buffer = new_blocked(value_name(value), shape);
  } else {
    const int root = buffer_of(storage.root);
    const ir::Shape whole = function_.buffers[static_cast<std::size_t>(root)].shape;
    // Computed in place: the same memory under one name.
    if (storage.begin == 0 && whole == shape) {
      buffer = root;
    } else {
      const auto [slice, added] = slices_.try_emplace({root, storage.begin, to_text(shape)}, -1);
      if (added) slice->second = new_slice(value_name(value), shape, root, storage.begin);
      buffer = slice->second;
    }
  }
  buffers_[value.index] = buffer;
  return buffer;
}

// A placement keeps what its arms keep, as one table.
ir::SavedSize FunctionBuilder::saved_size(std::size_t number) const {
  const ir::Node& node = graph_.nodes[number];
  if (node.op->saved != nullptr) {
    const auto shapes = graph_.input_shapes(node);
    return node.op->saved(graph_.context(node, shapes, block_, batch_));
  }
  ir::SavedSize table;
  for (const auto& [arm, place] : fusion_.deferred_arms) {
    if (place.placement == number) table.elements += saved_size(arm).elements;
  }
  return table;
}

int FunctionBuilder::saved_of(std::size_t number) {
  if (const auto found = saved_.find(number); found != saved_.end()) return found->second;
  const ir::Node& node = graph_.nodes[number];
  const ir::SavedSize size = saved_size(number);
  Buffer buffer;
  if (const auto arm = fusion_.deferred_arms.find(number); arm != fusion_.deferred_arms.end()) {
    buffer.slice_of = saved_of(arm->second.placement);
    buffer.slice_begin = arm->second.channel;
    buffer.stride = graph_.tensor(graph_.nodes[arm->second.placement].output).shape.channels;
  }
  buffer.name = names_.give(value_name(node.output) + "_saved");
  buffer.kind = size.bytes ? Buffer::Kind::kBytes : Buffer::Kind::kFloats;
  buffer.elements = size.elements;
  function_.buffers.push_back(buffer);
  owners_.resize(function_.buffers.size());
  return saved_[number] = static_cast<int>(function_.buffers.size()) - 1;
}

void FunctionBuilder::forward() {
  const int input = buffer_of(graph_.input);
  if (block_ == 1) {
    function_.buffers[static_cast<std::size_t>(input)].given = true;  // images lie one after the other, as the caller has them
  } else {
    const Operand geometry = GeometryOperand{geometries_.of_shape(graph_.tensor(graph_.input).shape)};
    const std::vector<Operand> operands = {BufferOperand{input}, Named::kImages, geometry, Named::kBatch};
    function_.steps.push_back({.function = "lanes::to_lanes", .operands = operands, .layer = {}, .again = {{"lanes::to_lanes", operands, {}}}});
  }
  for (std::size_t number = 0; number < graph_.nodes.size(); ++number) forward_node(number);
}

void FunctionBuilder::forward_node(std::size_t number) {
  const ir::Node& node = graph_.nodes[number];
  if (storage_.without_call[number] || fusion_.absorbed[number]) return;
  if (node.op->traits.placement) return copy_arms(node);
  if (fusion_.affine[number]) return call_affine(number, number);
  const auto affine_of = [&](std::size_t part) {
    const auto fused = fusion_.epilogues.find(part);
    if (fused != fusion_.epilogues.end() && fused->second.affine) call_affine(*fused->second.affine, number);
  };
  if (const auto chain = fusion_.chains.find(number); chain != fusion_.chains.end()) {
    std::ranges::for_each(chain->second.nodes, affine_of);
    return call_chain(number, chain->second);
  }
  if (const auto siblings = fusion_.siblings.find(number); siblings != fusion_.siblings.end()) {
    std::ranges::for_each(siblings->second.nodes, affine_of);
    return call_siblings(number, siblings->second);
  }
  affine_of(number);
  call(ir::Pass::kForward, {.node = number});
}

void FunctionBuilder::copy_arms(const ir::Node& node) {
  const Storage whole = storage_.values[index(node.output)];
  std::int64_t begin = whole.begin;
  for (const ir::TensorId arm : node.inputs) {
    const ir::Shape& shape = graph_.tensor(arm).shape;
    const Storage& storage = storage_.values[index(arm)];
    if (!(storage.root == whole.root && storage.begin == begin)) {
      const int root = buffer_of(whole.root);
      const int slice = new_slice(value_name(node.output) + "_" + value_name(arm), shape, root, begin);
      function_.steps.push_back({.function = "copy",
                                 .operands = {BufferOperand{slice}, BufferOperand{buffer_of(arm)},
                                              GeometryOperand{geometries_.of_shape(shape)}, Named::kBatch},
                                 .layer = node.layer});
    }
    begin += shape.elements() * block_;
  }
}

namespace {

struct LossFunctions {
  std::string_view with_gradient, alone;
};

const LossFunctions& functions_of(ir::Loss loss) {
  static constexpr LossFunctions kCrossEntropy{"softmax_cross_entropy", "cross_entropy_loss"};
  static constexpr LossFunctions kMeanSquaredError{"mean_squared_error", "mean_squared_error_loss"};
  static constexpr LossFunctions kBinaryCrossEntropy{"binary_cross_entropy", "binary_cross_entropy_loss"};
  static constexpr LossFunctions kLenet5Map{"lenet5_map", "lenet5_map_loss"};
  switch (loss) {
    case ir::Loss::kCrossEntropy: return kCrossEntropy;
    case ir::Loss::kMeanSquaredError: return kMeanSquaredError;
    case ir::Loss::kLenet5Map: return kLenet5Map;
    case ir::Loss::kBinaryCrossEntropy: return kBinaryCrossEntropy;
  }
  throw InternalError("plan", "a loss without a kernel");
}

}  // namespace

// What follows the last layer: the loss, and scores in the public layout.
void FunctionBuilder::finish() {
  const int output = buffer_of(graph_.output);
  const ir::Shape& shape = graph_.tensor(graph_.output).shape;
  const Operand geometry = GeometryOperand{geometries_.of_shape(shape)};
  const auto add_step = [&](std::string name, std::vector<Operand> operands) {
    function_.steps.push_back({.function = std::move(name), .operands = std::move(operands), .layer = {}});
  };
  if (request_.kind == FunctionKind::kPredict) {
    if (request_.softmax_at_end) add_step("softmax", {BufferOperand{output}, BufferOperand{output}, geometry, Named::kBatch});
    add_step("from_blocked", {Named::kScores, BufferOperand{output}, geometry, Named::kBatch});
    return;
  }
  ensure(request_.loss.has_value(), "plan", "a training function without a loss");
  const LossFunctions& loss = functions_of(*request_.loss);
  const auto add_loss = [&](std::string_view name, std::vector<Operand> operands) {
    operands.insert(operands.end(), {Named::kLosses, BufferOperand{output}, Named::kLabels});
    if (request_.has_targets) operands.push_back(Named::kTargets);
    if (*request_.loss == ir::Loss::kLenet5Map) operands.push_back(NumberOperand{request_.rubbish_penalty});
    operands.insert(operands.end(), {geometry, Named::kLossBatch});
    add_step(std::string(name), std::move(operands));
  };
  add_step("from_blocked", {Named::kScores, BufferOperand{output}, geometry, Named::kBatch});
  if (request_.kind == FunctionKind::kEvaluate) {
    add_loss(loss.alone, {});
    return;
  }
  const int d_output = new_blocked("d_" + value_name(graph_.output), shape);
  add_loss(loss.with_gradient, {BufferOperand{d_output}});
  add_gradient(graph_.output, d_output);
  for (const ir::AuxiliaryHead& head : graph_.auxiliaries) add_auxiliary_loss(head, *request_.loss == ir::Loss::kCrossEntropy);
}

// Adds a head's share to the losses and begins its gradient.
void FunctionBuilder::add_auxiliary_loss(const ir::AuxiliaryHead& head, bool cross_entropy) {
  ensure(cross_entropy, "plan", "an auxiliary head with another loss than cross-entropy");
  const ir::Shape& shape = graph_.tensor(head.output).shape;
  const int d_output = new_blocked("d_" + value_name(head.output), shape);
  std::vector<Operand> operands = {BufferOperand{d_output}, Named::kLosses, BufferOperand{buffer_of(head.output)}, Named::kLabels};
  if (request_.has_targets) operands.push_back(Named::kTargets);
  operands.insert(operands.end(),
                  {NumberOperand{head.weight}, GeometryOperand{geometries_.of_shape(shape)}, Named::kLossBatch});
  function_.steps.push_back({.function = "add_softmax_cross_entropy", .operands = std::move(operands), .layer = {}});
  add_gradient(head.output, d_output);
}

}  // namespace cnnc::plan
