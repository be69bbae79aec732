// The plan as text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plan/plan.hpp"

namespace cnnc::plan {

namespace {

std::string_view name_of(Named named) {
  switch (named) {
    case Named::kImages: return "images";
    case Named::kLabels: return "labels";
    case Named::kBatch: return "batch";
    case Named::kRandom: return "random";
    case Named::kScratch: return "scratch";
    case Named::kLosses: return "losses";
    case Named::kScores: return "scores";
    case Named::kTargets: return "targets";
    case Named::kLossBatch: return "batch";
  }
  return "";
}

std::string text_of(const Operand& operand, const Plan& plan, const Function& function) {
  const auto buffer = [&](int number) { return function.buffers.at(static_cast<std::size_t>(number)).name; };
  const auto parameter = [&](int number) { return plan.parameters.at(static_cast<std::size_t>(number)).parameter.name; };
  if (const auto* one = std::get_if<BufferOperand>(&operand)) return buffer(one->buffer);
  const auto loaded = [&](const LoadedOperand& map) {
    if (map.affine < 0) return buffer(map.buffer);
    return fmt::format("{}[{}{}{}]", buffer(map.buffer), buffer(map.affine), map.activation.empty() ? "" : " ", map.activation);
  };
  if (const auto* map = std::get_if<LoadedOperand>(&operand)) return loaded(*map);
  if (const auto* list = std::get_if<LoadedListOperand>(&operand)) {
    std::vector<std::string> names;
    for (const LoadedOperand& arm : list->arms) names.push_back(loaded(arm));
    return fmt::format("{{{}}}", fmt::join(names, ", "));
  }
  if (const auto* added = std::get_if<AddedOperand>(&operand)) return "+=" + buffer(added->buffer);
  if (const auto* replaced = std::get_if<ReplacedOperand>(&operand)) return fmt::format("{}<{}", buffer(replaced->buffer), replaced->activation);
  if (const auto* activation = std::get_if<ActivationOperand>(&operand)) {
    return activation->activation.empty() ? "-" : std::string(activation->activation);
  }
  const auto becomes = [&](const EpilogueOperand& epilogue) {
    std::vector<std::string> parts;
    if (epilogue.bias >= 0) parts.push_back("+" + parameter(epilogue.bias));
    if (epilogue.affine >= 0) parts.push_back("*" + buffer(epilogue.affine));
    if (epilogue.addend >= 0) parts.push_back("+" + buffer(epilogue.addend));
    if (!epilogue.activation.empty()) parts.emplace_back(epilogue.activation);
    return fmt::format("<{}>", fmt::join(parts, " "));
  };
  if (const auto* epilogue = std::get_if<EpilogueOperand>(&operand)) return becomes(*epilogue);
  const auto layer = [&](const PartOperand& part) {
    return fmt::format("{} {}", part.prepared >= 0 ? "prepared " + buffer(part.prepared) : parameter(part.parameter), becomes(part.epilogue));
  };
  if (const auto* part = std::get_if<PartOperand>(&operand)) return fmt::format("{{{}}}", layer(*part));
  if (const auto* all = std::get_if<SiblingsOperand>(&operand)) {
    std::vector<std::string> texts;
    for (const SiblingsOperand::Sibling& one : all->siblings) texts.push_back(fmt::format("{{{}, {}}}", buffer(one.output), layer(one.part)));
    return fmt::format("{{{}}}", fmt::join(texts, ", "));
  }
  if (const auto* all = std::get_if<SiblingGradientsOperand>(&operand)) {
    std::vector<std::string> texts;
    for (const auto& one : all->siblings) texts.push_back(fmt::format("{{{}, {}}}", buffer(one.d_output), parameter(one.parameter)));
    return fmt::format("{{{}}}", fmt::join(texts, ", "));
  }
  if (const auto* value = std::get_if<ParameterOperand>(&operand)) return parameter(value->parameter);
  if (const auto* prepared = std::get_if<PreparedOperand>(&operand)) return "prepared " + buffer(prepared->buffer);
  if (const auto* gradient = std::get_if<GradientOperand>(&operand)) return "d " + parameter(gradient->parameter);
  if (const auto* number = std::get_if<NumberOperand>(&operand)) return fmt::format("{}", number->value);
  if (const auto* integer = std::get_if<IntegerOperand>(&operand)) return fmt::format("{}", integer->value);
  if (const auto* geometry = std::get_if<GeometryOperand>(&operand)) {
    return plan.geometries.at(static_cast<std::size_t>(geometry->geometry)).name;
  }
  if (const auto* scratch = std::get_if<ScratchOperand>(&operand)) return buffer(scratch->buffer);
  return std::string(name_of(std::get<Named>(operand)));
}

std::string dump(const Function& function, const Plan& plan) {
  std::string text = fmt::format("function {}  # {} floats, at least {}\n", function.name, function.arena_floats,
                                 function.bound_floats);
  for (const Buffer& buffer : function.buffers) {
    const std::string what = buffer.kind == Buffer::Kind::kBlocked ? to_text(buffer.shape)
                             : fmt::format("{} {}", buffer.elements, buffer.kind == Buffer::Kind::kBytes ? "bytes" : "floats");
    const std::string gap = buffer.gap_end < 0 ? "" : fmt::format("{} and {}..", buffer.gap_begin, buffer.gap_end);
    if (buffer.given) {
      text += fmt::format("  buffer {} {} given\n", buffer.name, what);
      continue;
    }
    text += fmt::format("  buffer {} {} at {} steps {}..{}{}\n", buffer.name, what, buffer.offset, buffer.first, gap, buffer.last);
  }
  const auto call = [&](const Step& step) {
    std::vector<std::string> operands;
    for (const Operand& operand : step.operands) operands.push_back(text_of(operand, plan, function));
    return fmt::format("{}({})", step.function, fmt::join(operands, ", "));
  };
  for (const Step& step : function.preparation) text += fmt::format("  once {}\n", call(step));
  for (std::size_t i = 0; i < function.steps.size(); ++i) text += fmt::format("  {:3} {}\n", i, call(function.steps[i]));
  return text;
}

}  // namespace

std::string dump(const Plan& plan) {
  std::string text = fmt::format("plan {} batch {} block {}", plan.model, plan.batch, plan.block);
  if (plan.part > 0) text += fmt::format(" part {}", plan.part);
  if (plan.predicted > 0) text += fmt::format(" predicted {}", plan.predicted);
  text += "\n";
  text += fmt::format("memory parameters {} gradients {} optimizer {} activations {} scratch {} a thread (floats)\n",
                      plan.memory.parameters, plan.memory.gradients, plan.memory.optimizer, plan.memory.activations,
                      plan.memory.thread_scratch);
  if (plan.part > 0) {
    text += fmt::format("parts gradients {} activations {} + scratch {} a thread (floats)\n", plan.memory.part_gradients,
                        plan.memory.part_activations, plan.memory.part_scratch);
  }
  for (const Function& function : plan.functions) text += dump(function, plan);
  return text;
}

}  // namespace cnnc::plan
