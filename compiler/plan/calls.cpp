// The calls of a function, and the operands of each.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plan/function_builder.hpp"
#include "support/internal_error.hpp"

namespace cnnc::plan {

void FunctionBuilder::append_role(ir::Role role, const CallOf& of, std::vector<Operand>& operands) {
  const ir::Node& node = graph_.nodes[of.node];
  const auto parameters = [&](bool statistics, bool gradients) {
    for (const ir::ParameterId id : node.parameters) {
      if (graph_.parameter(id).statistic != statistics) continue;
      if (gradients) operands.push_back(GradientOperand{id.index});
      else operands.push_back(ParameterOperand{id.index});
    }
  };
  switch (role) {
    case ir::Role::kOutput: operands.push_back(BufferOperand{buffer_of(fusion_.result[of.node])}); return;
    case ir::Role::kInputs:
    case ir::Role::kLoaded:
      if (node.op->traits.merge) {
        LoadedListOperand list;
        for (const ir::TensorId input : node.inputs) list.arms.push_back(loaded(input));
        operands.push_back(list);
      } else if (role == ir::Role::kLoaded) {
        operands.push_back(loaded(node.inputs.front()));
      } else {
        operands.push_back(BufferOperand{buffer_of(node.inputs.front())});
      }
      return;
    case ir::Role::kSaved:
      if (modes_[of.node].backward_reads_saved || modes_[of.node].calls->as_affine) operands.push_back(BufferOperand{saved_of(of.node)});
      return;
    case ir::Role::kDOutput: operands.push_back(BufferOperand{of.d_output}); return;
    case ir::Role::kDInput:
      if (of.add) operands.push_back(AddedOperand{of.d_input});
      else if (!of.through.empty()) operands.push_back(ReplacedOperand{of.d_input, of.through});
      else operands.push_back(BufferOperand{of.d_input});
      return;
    case ir::Role::kEpilogue: operands.push_back(epilogue_of(of.node)); return;
    case ir::Role::kActivation: operands.push_back(ActivationOperand{fusion_.activation[of.node]}); return;
    case ir::Role::kInputNumber: operands.push_back(IntegerOperand{of.input}); return;
    case ir::Role::kParameters: parameters(false, false); return;
    case ir::Role::kWeight: operands.push_back(ParameterOperand{node.parameters.front().index}); return;
    case ir::Role::kStatistics: parameters(true, false); return;
    case ir::Role::kDParameters: parameters(false, true); return;
    case ir::Role::kGeometry: operands.push_back(GeometryOperand{geometries_.of_node(graph_, node)}); return;
    case ir::Role::kBatch: operands.push_back(Named::kBatch); return;
    case ir::Role::kRandom: operands.push_back(Named::kRandom); return;
    case ir::Role::kScratch: operands.push_back(Named::kScratch); return;
  }
}

// A value as its readers load it: stored, or made of another.
LoadedOperand FunctionBuilder::loaded(ir::TensorId value) {
  const auto& deferred = fusion_.deferred[index(value)];
  if (!deferred) return {buffer_of(value)};
  return {buffer_of(deferred->from), saved_of(deferred->affine), deferred->activation};
}

EpilogueOperand FunctionBuilder::epilogue_of(std::size_t number) {
  const FusedEpilogue& fused = fusion_.epilogues.at(number);
  EpilogueOperand operand;
  const ir::Node& node = graph_.nodes[number];
  if (node.parameters.size() > 1) operand.bias = node.parameters[1].index;
  if (fused.affine) operand.affine = saved_of(*fused.affine);
  if (fused.addend) operand.addend = buffer_of(*fused.addend);
  operand.activation = fused.activation;
  return operand;
}

// The layers whose work the node's call does on the way.
void FunctionBuilder::append_absorbed(std::size_t number, Step& step) const {
  ir::TensorId value = graph_.nodes[number].output;
  while (value != fusion_.result[number]) {
    const auto reader = std::ranges::find_if(graph_.nodes, [&](const ir::Node& node) {
      return std::ranges::find(node.inputs, value) != node.inputs.end();
    });
    ensure(reader != graph_.nodes.end(), "plan", "a fused chain that ends early");
    if (reader->layer != step.layer && (step.also.empty() || step.also.back() != reader->layer)) step.also.push_back(reader->layer);
    value = reader->output;
  }
}

void FunctionBuilder::call(ir::Pass pass, const CallOf& of) {
  const ir::Node& node = graph_.nodes[of.node];
  const ir::Calls& calls = *modes_[of.node].calls;
  if (node.op->decide != nullptr) {
    const auto shapes = graph_.input_shapes(node);
    const Work work = request_.kind == FunctionKind::kPredict ? Work::kPredict : work_of(pass);
    ir::OpContext context = graph_.context(node, shapes, block_, batch_);
    context.prepared = prepares(of.node);
    context.mapped = fusion_.deferred[index(node.inputs.front())].has_value();
    Chosen chosen = choose({.card = *node.op,
                            .context = context,
                            .path = graph_.layer(node.layer).path,
                            .pass = pass,
                            .work = work,
                            .precision = request_.precision},
                           request_.tuning);
    call(*chosen.call, of, std::move(chosen.reason));
    function_.steps.back().choice = std::move(chosen.choice);
    return;
  }
  switch (pass) {
    case ir::Pass::kForward: return call(calls.forward, of);
    case ir::Pass::kBackwardInput: return call(*calls.backward_input, of);
    case ir::Pass::kBackwardParams: return call(*calls.backward_params, of);
    case ir::Pass::kBackward: return call(*calls.backward, of);
  }
}

void FunctionBuilder::call(const ir::CallDef& definition, const CallOf& of, std::string reason) {
  const ir::Node& node = graph_.nodes[of.node];
  Step step{.function = std::string(definition.function), .operands = {}, .layer = node.layer, .reason = std::move(reason)};
  for (const ir::Role role : definition.operands) append_role(role, of, step.operands);
  // To run again it must change nothing but its output.
  const bool repeatable = of.d_output < 0 && definition.takes(ir::Role::kOutput) && !definition.takes(ir::Role::kStatistics);
  if (of.d_output < 0) append_absorbed(of.node, step);
  const auto shapes = graph_.input_shapes(node);
  const ir::OpContext context = graph_.context(node, shapes, block_, batch_);
  if (node.op->macs != nullptr) step.macs = node.op->macs(context);  // a gradient's call multiplies as often as the forward one
  if (repeatable) step.again.push_back(repetition_of(definition, of));
  if (const std::optional<int> weights = prepares(of.node) ? prepare(definition, of.node, context) : std::nullopt) {
    const auto weight = std::ranges::find(definition.operands, ir::Role::kWeight) - definition.operands.begin();
    step.operands[static_cast<std::size_t>(weight)] = PreparedOperand{*weights};
    const ir::ScratchDef& scratch = definition.prepare.scratch;
    geometries_.need_scratch(geometries_.of_node(graph_, node), scratch.function, scratch.size(context), batch_);
    take_scratch(step, scratch.size(context));
  } else if (definition.scratch.size != nullptr) {
    geometries_.need_scratch(geometries_.of_node(graph_, node), definition.scratch.function, definition.scratch.size(context), batch_);
    take_scratch(step, definition.scratch.size(context));
  }
  function_.steps.push_back(std::move(step));
}

// A forward call once more: what it keeps is there already.
Repetition FunctionBuilder::repetition_of(const ir::CallDef& definition, const CallOf& of) {
  const ir::Node& node = graph_.nodes[of.node];
  const auto shapes = graph_.input_shapes(node);
  Repetition repetition{.function = std::string(definition.function), .operands = {}, .layer = node.layer};
  const ir::OpContext context = graph_.context(node, shapes, block_, batch_);
  if (node.op->macs != nullptr) repetition.macs = node.op->macs(context);
  if (definition.scratch.size != nullptr && !request_.in_parts) repetition.scratch = definition.scratch.size(context);
  for (const ir::Role role : definition.operands) {
    if (role != ir::Role::kSaved) append_role(role, of, repetition.operands);
  }
  return repetition;
}

// A layer's operands in a call for several, which does its work.
PartOperand FunctionBuilder::part_of(std::size_t number, const JoinedNodes& joined, Step& step) {
  const ir::Node& node = graph_.nodes[number];
  const auto shapes = graph_.input_shapes(node);
  const ir::OpContext context = graph_.context(node, shapes, block_, batch_);
  step.macs += node.op->macs(context);
  const std::optional<int> weights =
      prepares(joined.nodes.front()) ? prepare(joined.kernel.alone != nullptr ? *joined.kernel.alone : modes_[number].calls->forward, number, context)
                                     : std::nullopt;
  return {.parameter = node.parameters.front().index, .prepared = weights.value_or(-1), .epilogue = epilogue_of(number)};
}

const ir::ScratchSize& FunctionBuilder::scratch_of(const JoinedNodes& joined) const {
  return prepares(joined.nodes.front()) ? joined.kernel.prepared_scratch : joined.kernel.scratch;
}

int FunctionBuilder::geometry_of(const JoinedNodes& joined) {
  const ir::JoinedKernel& kernel = joined.kernel;
  const int geometry = geometries_.of_joined(graph_, graph_.nodes[joined.nodes.front()], kernel);
  const bool prepared = prepares(joined.nodes.front());
  geometries_.need_scratch(geometry, prepared ? kernel.prepared_scratch_function : kernel.scratch_function, scratch_of(joined), batch_);
  return geometry;
}

// The one call of a chain, at the place of its first node.
void FunctionBuilder::call_chain(std::size_t head, const JoinedNodes& chain) {
  Step step{.function = std::string(chain.kernel.function), .operands = {}, .layer = graph_.nodes[head].layer, .reason = chain.kernel.reason};
  append_absorbed(head, step);
  append_role(ir::Role::kOutput, {.node = head}, step.operands);
  append_role(ir::Role::kLoaded, {.node = head}, step.operands);
  for (const std::size_t number : chain.nodes) step.operands.push_back(part_of(number, chain, step));
  step.operands.insert(step.operands.end(), {GeometryOperand{geometry_of(chain)}, Named::kBatch, Named::kScratch});
  take_scratch(step, scratch_of(chain));
  function_.steps.push_back(std::move(step));
}

// A sibling's own call, which makes its output once more without those of the others.
Repetition FunctionBuilder::alone(std::size_t number, const JoinedNodes& siblings) {
  const ir::Node& node = graph_.nodes[number];
  const ir::CallDef& definition = *siblings.kernel.alone;
  const auto shapes = graph_.input_shapes(node);
  geometries_.need_scratch(geometries_.of_node(graph_, node), definition.scratch.function,
                           definition.scratch.size(graph_.context(node, shapes, block_, batch_)), batch_);
  return repetition_of(definition, {.node = number});
}

std::string FunctionBuilder::reason_of(const JoinedNodes& siblings) const {
  std::vector<std::string_view> others;
  for (const std::size_t number : siblings.nodes) others.push_back(graph_.layer(graph_.nodes[number].layer).path);
  others.erase(others.begin());
  return fmt::format("{}, with {}", siblings.kernel.reason, fmt::join(others, " and "));
}

// The one call of layers that read the same value, at the place of the first.
void FunctionBuilder::call_siblings(std::size_t head, const JoinedNodes& siblings) {
  Step step{.function = std::string(siblings.kernel.function), .operands = {}, .layer = graph_.nodes[head].layer, .reason = reason_of(siblings)};
  SiblingsOperand operand;
  for (const std::size_t number : siblings.nodes) {
    if (number != head) step.also.push_back(graph_.nodes[number].layer);
    append_absorbed(number, step);
    operand.siblings.push_back({buffer_of(fusion_.result[number]), part_of(number, siblings, step)});
    if (request_.kind == FunctionKind::kStep) step.again.push_back(alone(number, siblings));
  }
  step.operands.push_back(std::move(operand));
  append_role(ir::Role::kLoaded, {.node = head}, step.operands);
  step.operands.insert(step.operands.end(), {GeometryOperand{geometry_of(siblings)}, Named::kBatch, Named::kScratch});
  take_scratch(step, scratch_of(siblings));
  function_.steps.push_back(std::move(step));
}

// Memory that all threads share while the call runs: a buffer of one step.
void FunctionBuilder::take_scratch(Step& step, const ir::ScratchSize& size) {
  if (size.shared == 0 || request_.in_parts) return;
  step.scratch = size;
  share_scratch(function_, step);
  owners_.resize(function_.buffers.size());
}

int FunctionBuilder::new_prepared(const std::string& name, std::int64_t elements) {
  Buffer buffer{.name = names_.give(name), .kind = Buffer::Kind::kFloats, .shape = {}};
  buffer.elements = elements;
  buffer.prepared = true;
  function_.buffers.push_back(buffer);
  owners_.resize(function_.buffers.size());
  return static_cast<int>(function_.buffers.size()) - 1;
}

// Whether a prediction keeps a node's weights packed, or those of the nodes that it is the first of. Where they multiply many
// columns, packing them on each call takes some hundredth of the layer's cycles, which the memory is not worth.
bool FunctionBuilder::prepares(std::size_t number) const {
  constexpr std::int64_t kManyColumns = 2500;
  const ir::Shape& output = graph_.tensor(graph_.nodes[number].output).shape;
  return request_.kind == FunctionKind::kPredict && batch_ * output.height * output.width < kManyColumns;
}

// The buffer that holds a node's weights, packed once, where the call can be given that.
std::optional<int> FunctionBuilder::prepare(const ir::CallDef& definition, std::size_t number, const ir::OpContext& context) {
  if (definition.prepare.function.empty()) return std::nullopt;
  const ir::Node& node = graph_.nodes[number];
  const int geometry = geometries_.of_node(graph_, node);
  const std::string name = identifier(graph_.parameter(node.parameters.front()).name) + "_prepared";
  const int buffer = new_prepared(name, definition.prepare.floats(context));
  geometries_.prepares(geometry, definition, context);
  function_.preparation.push_back({.function = std::string(definition.prepare.function),
                                   .operands = {BufferOperand{buffer}, ParameterOperand{node.parameters.front().index},
                                                GeometryOperand{geometry}},
                                   .layer = node.layer});
  return buffer;
}

// Makes scale and shift of a node whose output its neighbours make, as part of the work of node `head`; for prediction, once.
void FunctionBuilder::call_affine(std::size_t number, std::size_t head) {
  const ir::CallDef& definition = *modes_[number].calls->as_affine;
  call(definition, {.node = number});
  Step& step = function_.steps.back();
  if (head != number) {
    step.layer = graph_.nodes[head].layer;
    step.also.clear();
    append_absorbed(head, step);
  }
  if (request_.kind != FunctionKind::kPredict || definition.takes(ir::Role::kInputs)) return;
  function_.buffers[static_cast<std::size_t>(saved_of(number))].prepared = true;
  function_.preparation.push_back(std::move(step));
  function_.steps.pop_back();
}

}  // namespace cnnc::plan
