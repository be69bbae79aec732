// The backward half of a function: reverse-mode differentiation over the graph, only where something learns.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "plan/function_builder.hpp"
#include "support/internal_error.hpp"

namespace cnnc::plan {

void FunctionBuilder::backward() {
  function_.backward_begin = static_cast<int>(function_.steps.size());
  for (std::size_t number = graph_.nodes.size(); number-- > 0;) backward_node(number);
  for (std::size_t number = 0; number < graph_.nodes.size(); ++number) {
    if (!modes_[number].learns) continue;
    const std::string& lowest = graph_.layer(graph_.nodes[number].layer).path;
    if (number > 0) function_.remark = fmt::format("Nothing before {} learns, so back-propagation stops there.", lowest);
    break;
  }
}

void FunctionBuilder::add_gradient(ir::TensorId value, int buffer) {
  contributions_[index(value)].push_back(buffer);
  owners_[static_cast<std::size_t>(buffer)].push_back(value);
}

// Whether two buffers share memory.
bool FunctionBuilder::overlap(int a, int b) const {
  const auto place = [&](int one) {
    const Buffer& of = function_.buffers[static_cast<std::size_t>(one)];
    const int root = of.slice_of >= 0 ? of.slice_of : one;
    return std::tuple(root, of.slice_begin, of.slice_begin + of.shape.elements() * block_);
  };
  const auto [root, begin, end] = place(a);
  const auto [other_root, other_begin, other_end] = place(b);
  return root == other_root && begin < other_end && other_begin < end;
}

// Whether a buffer can be written as the gradient of `value` alone when node `number` goes backward: all other values whose
// gradient lies there have been through their producers, which wait for no sibling.
bool FunctionBuilder::exclusive(int buffer, ir::TensorId value, std::size_t number) const {
  for (std::size_t other = 0; other < owners_.size(); ++other) {
    if (owners_[other].empty() || !overlap(buffer, static_cast<int>(other))) continue;
    for (const ir::TensorId owner : owners_[other]) {
      if (owner == value) continue;
      const ir::NodeId producer = graph_.tensor(owner).producer;
      const auto before = static_cast<std::size_t>(producer.index);
      if (!producer.valid() || before <= number || waiting_.contains(before)) return false;
    }
  }
  return true;
}

// The gradient of a value: the one contribution to it, or the sum of all, which its readers have made by now.
int FunctionBuilder::gradient_of(ir::TensorId value) {
  const std::vector<int>& contributions = contributions_[index(value)];
  if (contributions.empty()) return -1;
  if (contributions.size() == 1) return contributions.front();
  const ir::Shape& shape = graph_.tensor(value).shape;
  const ir::NodeId producer = graph_.tensor(value).producer;
  int sum = -1;
  for (const int contribution : contributions) {
    if (sum < 0 && exclusive(contribution, value, static_cast<std::size_t>(producer.index))) sum = contribution;
  }
  if (sum < 0) {
    sum = new_blocked("d_" + value_name(value), shape);
    owners_[static_cast<std::size_t>(sum)].push_back(value);
  }
  LoadedListOperand list;
  for (const int contribution : contributions) list.arms.push_back({contribution});
  function_.steps.push_back({.function = "add",
                             .operands = {BufferOperand{sum}, list, ActivationOperand{},
                                          GeometryOperand{geometries_.of_shape(shape)}, Named::kBatch},
                             .layer = graph_.node(producer).layer});
  return sum;
}

void FunctionBuilder::backward_node(std::size_t number) {
  const ir::Node& node = graph_.nodes[number];
  const NodeMode& mode = modes_[number];
  if (!mode.differentiated()) return;
  const int d_output = gradient_of(node.output);
  ensure(d_output >= 0, "plan", "no gradient reaches " + graph_.layer(node.layer).path);
  if (fusion_.absorbed_backward[number]) return add_gradient(node.inputs.front(), d_output);
  const bool both = mode.learns && mode.passes_back && mode.calls->backward;
  if (mode.learns && !both) {
    ensure(mode.calls->backward_params.has_value(), "plan", fmt::format("'{}' can't learn", node.op->name));
    call(ir::Pass::kBackwardParams, {.node = number, .d_output = d_output});
  }
  if (!mode.passes_back) return;
  const auto has = [&](const auto& joined) { return std::ranges::find(joined.second.nodes, number) != joined.second.nodes.end(); };
  const auto siblings = std::ranges::find_if(fusion_.siblings, has);
  if (siblings != fusion_.siblings.end()) return backward_siblings(siblings->second, number, d_output);
  backward_inputs(number, node, d_output);
}

// The gradient of what they all read is made in one call where the first of them goes backward, the last to do so.
void FunctionBuilder::backward_siblings(const JoinedNodes& siblings, std::size_t number, int d_output) {
  waiting_.emplace(number, d_output);
  if (number != siblings.nodes.front()) return;
  const ir::JoinedKernel& kernel = siblings.kernel;
  const ir::Node& first = graph_.nodes[number];
  const ir::TensorId input = first.inputs.front();
  Step step{.function = std::string(kernel.backward_input), .operands = {}, .layer = first.layer, .reason = reason_of(siblings)};
  if (const auto sum = sum_to_add_to(input, number)) {
    step.operands.push_back(AddedOperand{*sum});
  } else {
    const int d_input = new_blocked("d_" + value_name(input), graph_.tensor(input).shape);
    step.operands.push_back(BufferOperand{d_input});
    add_gradient(input, d_input);
  }
  SiblingGradientsOperand gradients;
  for (const std::size_t one : siblings.nodes) {
    const ir::Node& node = graph_.nodes[one];
    const auto shapes = graph_.input_shapes(node);
    step.macs += node.op->macs(graph_.context(node, shapes, block_, batch_));
    if (one != number) step.also.push_back(node.layer);
    gradients.siblings.push_back({waiting_.at(one), node.parameters.front().index});
  }
  const int geometry = geometries_.of_joined(graph_, first, kernel);
  geometries_.need_scratch(geometry, kernel.backward_input_scratch_function, kernel.backward_input_scratch, batch_);
  step.operands.insert(step.operands.end(), {std::move(gradients), GeometryOperand{geometry}, Named::kBatch, Named::kScratch});
  take_scratch(step, kernel.backward_input_scratch);
  function_.steps.push_back(std::move(step));
  for (const std::size_t one : siblings.nodes) waiting_.erase(one);
}

void FunctionBuilder::backward_inputs(std::size_t number, const ir::Node& node, int d_output) {
  const ir::Traits& traits = node.op->traits;
  std::int64_t begin = 0;
  for (std::size_t position = 0; position < node.inputs.size(); ++position) {
    const ir::TensorId input = node.inputs[position];
    const ir::Shape& shape = graph_.tensor(input).shape;
    const bool needed = needs_gradient_[index(input)];
    if (traits.placement) {
      if (needed) add_gradient(input, new_slice("d_" + value_name(input), shape, d_output, begin));
      begin += shape.elements() * block_;
    } else if (!needed) {
      continue;
    } else if (traits.passes_gradient) {
      add_gradient(input, d_output);
    } else if (storage_.without_call[number]) {
      add_gradient(input, new_slice("d_" + value_name(input), shape, d_output, 0));
    } else {
      ensure(mode_has_backward(number), "plan", fmt::format("'{}' has no backward pass", node.op->name));
      call_backward(number, static_cast<int>(position), d_output);
    }
  }
}

// The first contribution to a value's gradient that a call for node `number` may add to, if there is one.
std::optional<int> FunctionBuilder::sum_to_add_to(ir::TensorId value, std::size_t number) const {
  const std::vector<int>& contributions = contributions_[index(value)];
  for (const int contribution : contributions) {
    const auto overlaps = [&](int other) { return overlap(contribution, other); };
    if (exclusive(contribution, value, number) && std::ranges::count_if(contributions, overlaps) == 1) return contribution;
  }
  return std::nullopt;
}

// One input's gradient: in place of the output's or added to what there is, where the kernel and the buffers allow it.
void FunctionBuilder::call_backward(std::size_t number, int position, int d_output) {
  const ir::Node& node = graph_.nodes[number];
  const ir::TensorId input = node.inputs[static_cast<std::size_t>(position)];
  const ir::Calls& calls = *modes_[number].calls;
  const bool both = modes_[number].learns && calls.backward.has_value();
  const ir::CallDef& definition = both ? *calls.backward : *calls.backward_input;
  CallOf of{.node = number, .d_output = d_output, .d_input = -1, .input = position};
  if (definition.accumulates) {
    if (const auto sum = sum_to_add_to(input, number)) {
      of.d_input = *sum;
      of.add = true;
    }
  }
  if (const auto activation = fusion_.through.find(number); activation != fusion_.through.end()) {
    of.through = activation->second;
    of.d_input = new_slice("d_" + value_name(input), graph_.tensor(input).shape, buffer_of(input), 0);
  }
  const bool in_place = !of.add && of.d_input < 0 && (definition.in_place || node.op->traits.elementwise) && exclusive(d_output, node.output, number);
  if (in_place) of.d_input = d_output;
  if (of.d_input < 0) of.d_input = new_blocked("d_" + value_name(input), graph_.tensor(input).shape);
  call(both ? ir::Pass::kBackward : ir::Pass::kBackwardInput, of);
  if (!of.add) add_gradient(input, of.d_input);
}

}  // namespace cnnc::plan
