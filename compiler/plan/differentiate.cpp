// The backward half of a function: reverse-mode differentiation over the graph, only where something learns.
#include <fmt/format.h>

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

// The gradient of a value: the one contribution to it, or the sum of all, which its readers have made by now.
int FunctionBuilder::gradient_of(ir::TensorId value) {
  const std::vector<int>& contributions = contributions_[index(value)];
  if (contributions.empty()) return -1;
  if (contributions.size() == 1) return contributions.front();
  const ir::Shape& shape = graph_.tensor(value).shape;
  const int sum = new_blocked("d_" + value_name(value), shape);
  const ir::NodeId producer = graph_.tensor(value).producer;
  function_.steps.push_back({.function = "add",
                             .operands = {BufferOperand{sum}, BufferListOperand{contributions},
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
  if (mode.learns) {
    ensure(mode.calls->backward_params.has_value(), "plan", fmt::format("'{}' can't learn", node.op->name));
    call(ir::Pass::kBackwardParams, {.node = number, .d_output = d_output});
  }
  if (mode.passes_back) backward_inputs(number, node, d_output);
}

void FunctionBuilder::backward_inputs(std::size_t number, const ir::Node& node, int d_output) {
  const ir::Traits& traits = node.op->traits;
  std::int64_t begin = 0;
  int receivers = 0;
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
      ++receivers;
    } else if (storage_.without_call[number]) {
      add_gradient(input, new_slice("d_" + value_name(input), shape, d_output, 0));
    } else {
      ensure(mode_has_backward(number), "plan", fmt::format("'{}' has no backward pass", node.op->name));
      // Elementwise: in place, where the gradient is nobody else's.
      const bool in_place = traits.elementwise && !shared_gradient_[static_cast<std::size_t>(d_output)];
      const int d_input = in_place ? d_output : new_blocked("d_" + value_name(input), shape);
      call(ir::Pass::kBackwardInput,
           {.node = number, .d_output = d_output, .d_input = d_input, .input = static_cast<int>(position)});
      add_gradient(input, d_input);
    }
  }
  if (receivers > 1) shared_gradient_[static_cast<std::size_t>(d_output)] = true;
}

}  // namespace cnnc::plan
