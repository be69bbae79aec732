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

// Adds what a call reads or writes by its operands, each once.
void count_bytes(const Plan& plan, const Function& function, const plan::Step& step, Work& work) {
  const plan::MemoryVisitor visitor{.buffer =
                                        [&](int number) {
                                          const Buffer& buffer = function.buffers[static_cast<std::size_t>(number)];
                                          switch (buffer.kind) {
                                            case Buffer::Kind::kBlocked: work.image_bytes += 4 * buffer.shape.elements(); return;
                                            case Buffer::Kind::kBytes: work.image_bytes += buffer.elements / plan.images_of_call(); return;
                                            case Buffer::Kind::kFloats: work.parameter_bytes += 4 * buffer.elements; return;  // a batch's statistics
                                            case Buffer::Kind::kScratch: return;
                                          }
                                        },
                                    .parameter = [&](int number) {
                                      work.parameter_bytes += 4 * plan.parameters[static_cast<std::size_t>(number)].parameter.elements();
                                    }};
  for (const plan::Operand& operand : step.operands) for_each_memory(operand, visitor);
}

std::string work_table(const Plan& plan, const Function& function, const std::string& name) {
  std::vector<Work> forward(plan.layers.size()), backward(plan.layers.size());
  for (std::size_t i = 0; i < function.steps.size(); ++i) {
    const plan::Step& step = function.steps[i];
    if (!step.layer) continue;
    const bool back = function.backward_begin >= 0 && static_cast<int>(i) >= function.backward_begin;
    Work& work = (back ? backward : forward)[static_cast<std::size_t>(step.layer->index)];
    work.macs += step.macs;
    count_bytes(plan, function, step, work);
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
