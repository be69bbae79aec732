// The tables of what layers cost: multiply-adds, and the bytes of their calls' operands.
#include <fmt/format.h>

#include "emit/parts.hpp"
#include "emit/text.hpp"

namespace cnnc::emit {

namespace {

using plan::Buffer;
using plan::Function;
using plan::FunctionKind;
using plan::Plan;

struct Work {
  std::int64_t macs = 0, image_bytes = 0, parameter_bytes = 0;

  std::string text() const {
    return macs + image_bytes + parameter_bytes == 0 ? "{}" : fmt::format("{{{}, {}, {}}}", macs, image_bytes, parameter_bytes);
  }
};

// What an operand adds: each that a call reads or writes counts once.
class Counter {
 public:
  Counter(const Plan& plan, const Function& function, Work& work) : plan_(plan), function_(function), work_(work) {}

  void operator()(const plan::BufferOperand& operand) const { add(operand.buffer); }
  void operator()(const plan::LoadedOperand& operand) const {
    add(operand.buffer);
    if (operand.affine >= 0) add(operand.affine);
  }
  void operator()(const plan::LoadedListOperand& operand) const {
    for (const plan::LoadedOperand& arm : operand.arms) (*this)(arm);
  }
  void operator()(const plan::AddedOperand& operand) const {
    add(operand.buffer);
    add(operand.buffer);  // read, then written
  }
  void operator()(const plan::EpilogueOperand& operand) const {
    if (operand.bias >= 0) add_parameter(operand.bias);
    if (operand.affine >= 0) add(operand.affine);
    if (operand.addend >= 0) add(operand.addend);
  }
  void operator()(const plan::PreparedOperand& operand) const { add(operand.buffer); }
  void operator()(const plan::ParameterOperand& operand) const { add_parameter(operand.parameter); }
  void operator()(const plan::GradientOperand& operand) const { add_parameter(operand.parameter); }
  template <class Other>
  void operator()(const Other&) const {}

 private:
  void add(int number) const {
    const Buffer& buffer = function_.buffers[static_cast<std::size_t>(number)];
    switch (buffer.kind) {
      case Buffer::Kind::kBlocked: work_.image_bytes += 4 * buffer.shape.elements(); return;
      case Buffer::Kind::kBytes: work_.image_bytes += buffer.elements / plan_.batch; return;
      case Buffer::Kind::kFloats: work_.parameter_bytes += 4 * buffer.elements; return;  // a batch's statistics
    }
  }
  void add_parameter(int number) const {
    work_.parameter_bytes += 4 * plan_.parameters[static_cast<std::size_t>(number)].parameter.elements();
  }

  const Plan& plan_;
  const Function& function_;
  Work& work_;
};

std::string work_table(const Plan& plan, const Function& function, const std::string& name) {
  std::vector<Work> forward(plan.layers.size()), backward(plan.layers.size());
  for (std::size_t i = 0; i < function.steps.size(); ++i) {
    const plan::Step& step = function.steps[i];
    if (!step.layer) continue;
    const bool back = function.backward_begin >= 0 && static_cast<int>(i) >= function.backward_begin;
    Work& work = (back ? backward : forward)[static_cast<std::size_t>(step.layer->index)];
    work.macs += step.macs;
    for (const plan::Operand& operand : step.operands) std::visit(Counter(plan, function, work), operand);
  }
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) rows.push_back(fmt::format("{{{}, {}}}", forward[i].text(), backward[i].text()));
  return table("cnn::LayerWork", name, rows);
}

}  // namespace

std::string work_tables(const Plan& plan) {
  std::string text = "// By layer, forward and backward: multiply-adds and bytes for an image, bytes of parameters.\n";
  for (const Function& function : plan.functions) {
    if (function.kind == FunctionKind::kStep) text += work_table(plan, function, fmt::format("kWorkInPhase{}", function.phase));
    if (function.kind == FunctionKind::kPredict) text += work_table(plan, function, "kWorkInPredict");
  }
  return text;
}

}  // namespace cnnc::emit
