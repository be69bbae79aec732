// The text of the generated functions: buffers by name, then calls under the line of the spec they come from.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "emit/parts.hpp"
#include "emit/text.hpp"

namespace cnnc::emit {

namespace {

using plan::Buffer;
using plan::Function;
using plan::FunctionKind;
using plan::Plan;

// A line of the spec without its indentation.
std::string_view quoted(const Origin& origin, int line) {
  if (line < 1 || line > static_cast<int>(origin.spec_lines.size())) return {};
  const std::string_view text = origin.spec_lines[static_cast<std::size_t>(line) - 1];
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

std::string parameters_of(const Function& function) {
  switch (function.kind) {
    case FunctionKind::kStep:
      return fmt::format("cnn::ConstFloats images, cnn::Labels labels,{} cnn::Optimizer& optimizer",
                         mentions(function, plan::Named::kRandom) ? " const cnn::RandomKey& random,\n   " : "");
    case FunctionKind::kEvaluate: return "cnn::ConstFloats images, cnn::Labels labels";
    case FunctionKind::kPredict: return "cnn::ConstFloats images, int batch";
  }
  return "";
}

std::string method_name(const Function& function) {
  return function.kind == FunctionKind::kStep ? function.name : function.name + "_on_team";
}

// The method that takes one part through the function.
std::string part_name(const Function& function) {
  return "part_of_" + function.name;
}

constexpr std::string_view kUpdate = "\n  at(cnn::Frame::kUpdate);\n";
constexpr std::string_view kOptimize = "  optimizer.update(parameters(), gradients());\n";
constexpr std::string_view kReturnLoss = "  return cnn::mean_loss(losses, batch);\n";
constexpr std::string_view kBatchOfLabels = "  const int batch = static_cast<int>(labels.size());\n";
constexpr std::string_view kLossesMemory = "  const cnn::Floats losses = losses_memory(batch);\n";

// `owner`: "part." where the memory is a part's.
std::string buffer_declaration(const Function& function, const Buffer& buffer, std::string_view owner) {
  if (buffer.given) return fmt::format("  const cnn::ConstBlocked {}(images.data(), {});  // {}\n", buffer.name, buffer.stride, to_text(buffer.shape));
  if (buffer.kind == Buffer::Kind::kFloats && buffer.slice_of >= 0) {
    const Buffer& whole = function.buffers[static_cast<std::size_t>(buffer.slice_of)];
    return fmt::format("  const cnn::ChannelTable {}({}, {}, {});\n", buffer.name, whole.name, buffer.slice_begin, buffer.stride);
  }
  switch (buffer.kind) {
    case Buffer::Kind::kBlocked:
      return fmt::format("  const cnn::Blocked {} = {}blocked({}, {});  // {}\n", buffer.name, owner, buffer.offset, buffer.stride,
                         to_text(buffer.shape));
    case Buffer::Kind::kFloats:
      return fmt::format("  const cnn::Floats {} = {}floats({}, {});\n", buffer.name, owner, buffer.offset, buffer.elements);
    case Buffer::Kind::kBytes:
      return fmt::format("  const std::span<std::uint8_t> {} = {}bytes({}, {});\n", buffer.name, owner, buffer.offset, buffer.elements);
    case Buffer::Kind::kScratch: return "";  // said where it is used
  }
  return "";
}

class Body {
 public:
  /// `read_last`: of each step the parameters that are said to be read no more.
  Body(const Plan& plan, const Function& function, std::vector<std::set<int>> read_last = {})
      : plan_(plan), function_(function), read_last_(std::move(read_last)), owner_(plan.part > 0 ? "part." : "") {}

  std::string text() {
    declarations();
    for (std::size_t i = 0; i < function_.steps.size(); ++i) step(i);
    ending();
    return std::move(text_);
  }

 private:
  void declarations() {
    if (plan_.part > 0) {
      text_ += "  const int batch = part.batch;\n";
    } else {
      if (function_.kind != FunctionKind::kPredict) text_ += kBatchOfLabels;
      if (mentions(function_, plan::Named::kLosses)) text_ += kLossesMemory;
      if (mentions(function_, plan::Named::kScores)) text_ += "  const cnn::Floats scores = scores_memory(batch);\n";
    }
    for (const Buffer& buffer : function_.buffers) {
      if (buffer.last >= 0) text_ += buffer_declaration(function_, buffer, owner_);
    }
    if (function_.kind != FunctionKind::kStep) return;
    const plan::PlannedPhase& phase = plan_.phases[static_cast<std::size_t>(function_.phase)];
    for (std::size_t i = 0; i < phase.learning.size(); ++i) {
      const plan::PlacedParameter& placed = parameter(phase.learning[i]);
      text_ += fmt::format("  const cnn::Floats d_{} = {}gradients({}, {});\n", placed.identifier, owner_, phase.gradient_offsets[i],
                           placed.parameter.elements());
    }
  }

  void step(std::size_t number) {
    const plan::Step& step = function_.steps[number];
    const bool backward = function_.backward_begin >= 0 && static_cast<int>(number) >= function_.backward_begin;
    if (static_cast<int>(number) == function_.backward_begin) {
      text_ += function_.remark.empty() ? "\n  // Backward.\n" : fmt::format("\n  // Backward. {}\n", function_.remark);
      current_layer_ = {};
    }
    if (step.layer && step.layer != current_layer_) {
      text_ += mark(*step.layer, backward);
      for (const ir::LayerId layer : step.also) text_ += fmt::format("  // {}\n", line_of(layer, backward));
    }
    if (step.repeated) text_ += "  // Once more, instead of keeping it:\n";
    if (!step.layer && current_layer_) text_ += "\n  at(cnn::Frame::kOutput);\n";
    current_layer_ = step.layer;
    std::vector<std::string> operands;
    for (const plan::Operand& operand : step.operands) operands.push_back(operand_text(operand));
    text_ += call_text("cnn::" + step.function, operands, ";", 2);
    if (read_last_.empty()) return;
    for (const int read : read_last_[number]) text_ += fmt::format("  read_no_more({});\n", weight_text(read));
  }

  // Where a layer begins, for a profile and for the reader.
  std::string mark(ir::LayerId id, bool backward) const {
    return fmt::format("{}({});  // {}\n", backward ? "  backward_at" : "\n  at", id.index, line_of(id, backward));
  }

  // The layer's line in the spec: quoted forward, by number and path backward.
  std::string line_of(ir::LayerId id, bool backward) const {
    const plan::LayerRow& row = plan_.layers[static_cast<std::size_t>(id.index)];
    if (backward) return fmt::format("{}: {}", row.line.place(), row.path);
    const std::string& text = row.line.text;
    const bool named = text.starts_with(row.path.substr(row.path.rfind('.') + 1) + " =");
    return fmt::format("{}: {}{}", row.line.place(), text, named ? "" : fmt::format("    ({})", row.path));
  }

  void ending() {
    if (plan_.part > 0) return;  // what follows is for all parts together
    switch (function_.kind) {
      case FunctionKind::kStep: text_ += fmt::format("{}{}{}", kUpdate, kOptimize, kReturnLoss); return;
      case FunctionKind::kEvaluate: text_ += kReturnLoss; return;
      case FunctionKind::kPredict: return;
    }
  }

  const plan::PlacedParameter& parameter(int number) const { return plan_.parameters[static_cast<std::size_t>(number)]; }
  const std::string& buffer(int number) const { return function_.buffers[static_cast<std::size_t>(number)].name; }

  static std::string activation_text(std::string_view activation) {
    return fmt::format("cnn::Activation::{}", activation.empty() ? "kNone" : activation);
  }

  std::string loaded_text(const plan::LoadedOperand& map) const {
    if (map.affine < 0) return buffer(map.buffer);
    return fmt::format("cnn::Loaded({}, {}, {})", buffer(map.buffer), buffer(map.affine), activation_text(map.activation));
  }

  std::string epilogue_text(const plan::EpilogueOperand& epilogue) const {
    constexpr std::string_view kNothing = "cnn::Epilogue()";
    std::string text(kNothing);
    if (epilogue.bias >= 0) text += fmt::format(".with_bias({}_)", parameter(epilogue.bias).identifier);
    if (epilogue.affine >= 0) text += fmt::format(".scaled({})", buffer(epilogue.affine));
    if (epilogue.addend >= 0) text += fmt::format(".plus({})", buffer(epilogue.addend));
    if (!epilogue.activation.empty()) text += fmt::format(".then({})", activation_text(epilogue.activation));
    return text == kNothing ? "{}" : text;
  }

  std::string weight_text(int number) const { return parameter(number).identifier + "_"; }
  std::string prepared_text(int number) const { return fmt::format("cnn::prepared({})", buffer(number)); }

  std::string part_weight_text(const plan::PartOperand& part) const {
    return part.prepared >= 0 ? prepared_text(part.prepared) : weight_text(part.parameter);
  }
  std::string part_text(const plan::PartOperand& part) const {
    return fmt::format("{{{}, {}}}", part_weight_text(part), epilogue_text(part.epilogue));
  }

  // A line for each, or two where it is long.
  std::string siblings_text(const plan::SiblingsOperand& operand) const {
    constexpr std::size_t kLong = 88;
    std::vector<std::string> texts;
    for (const plan::SiblingsOperand::Sibling& one : operand.siblings) {
      const std::string weight = fmt::format("{{{}, {},", buffer(one.output), part_weight_text(one.part));
      const std::string epilogue = epilogue_text(one.part.epilogue) + "}";
      texts.push_back(fmt::format("{}{}{}", weight, weight.size() + epilogue.size() > kLong ? "\n  " : " ", epilogue));
    }
    return fmt::format("{{{}}}", fmt::join(texts, ",\n "));
  }

  std::string gradients_text(const plan::SiblingGradientsOperand& operand) const {
    std::vector<std::string> texts;
    for (const auto& one : operand.siblings) texts.push_back(fmt::format("{{{}, {}}}", buffer(one.d_output), weight_text(one.parameter)));
    return fmt::format("{{{}}}", fmt::join(texts, ",\n "));
  }

  std::string operand_text(const plan::Operand& operand) const {
    if (const auto* one = std::get_if<plan::BufferOperand>(&operand)) return buffer(one->buffer);
    if (const auto* map = std::get_if<plan::LoadedOperand>(&operand)) return loaded_text(*map);
    if (const auto* list = std::get_if<plan::LoadedListOperand>(&operand)) {
      std::vector<std::string> names;
      for (const plan::LoadedOperand& arm : list->arms) names.push_back(loaded_text(arm));
      return fmt::format("{{{}}}", fmt::join(names, ", "));
    }
    if (const auto* added = std::get_if<plan::AddedOperand>(&operand)) return fmt::format("cnn::added_to({})", buffer(added->buffer));
    if (const auto* replaced = std::get_if<plan::ReplacedOperand>(&operand)) {
      return fmt::format("cnn::in_place_of({}, {})", activation_text(replaced->activation), buffer(replaced->buffer));
    }
    if (const auto* epilogue = std::get_if<plan::EpilogueOperand>(&operand)) return epilogue_text(*epilogue);
    if (const auto* activation = std::get_if<plan::ActivationOperand>(&operand)) return activation_text(activation->activation);
    if (const auto* value = std::get_if<plan::ParameterOperand>(&operand)) return weight_text(value->parameter);
    if (const auto* weights = std::get_if<plan::PreparedOperand>(&operand)) return prepared_text(weights->buffer);
    if (const auto* part = std::get_if<plan::PartOperand>(&operand)) return part_text(*part);
    if (const auto* siblings = std::get_if<plan::SiblingsOperand>(&operand)) return siblings_text(*siblings);
    if (const auto* gradients = std::get_if<plan::SiblingGradientsOperand>(&operand)) return gradients_text(*gradients);
    if (const auto* gradient = std::get_if<plan::GradientOperand>(&operand)) return "d_" + parameter(gradient->parameter).identifier;
    if (const auto* number = std::get_if<plan::NumberOperand>(&operand)) return float_literal(number->value);
    if (const auto* integer = std::get_if<plan::IntegerOperand>(&operand)) return fmt::format("{}", integer->value);
    if (const auto* geometry = std::get_if<plan::GeometryOperand>(&operand)) {
      return plan_.geometries[static_cast<std::size_t>(geometry->geometry)].name;
    }
    if (const auto* scratch = std::get_if<plan::ScratchOperand>(&operand)) {
      const Buffer& shared = function_.buffers[static_cast<std::size_t>(scratch->buffer)];
      return fmt::format("scratch({}, {})", shared.offset, shared.elements);
    }
    return named_text(std::get<plan::Named>(operand));
  }

  std::string named_text(plan::Named named) const {
    switch (named) {
      case plan::Named::kImages: return owner_ + "images";
      case plan::Named::kLabels: return owner_ + "labels";
      case plan::Named::kBatch: return "batch";
      case plan::Named::kRandom: return owner_ + "random";
      case plan::Named::kScratch: return plan_.part > 0 ? "part.scratch" : "scratch()";
      case plan::Named::kLosses: return owner_ + "losses";
      case plan::Named::kScores: return owner_ + "scores";
      case plan::Named::kTargets: return "kTargets";
      case plan::Named::kLossBatch: return plan_.part > 0 ? "part.loss_batch()" : "batch";
    }
    return "";
  }

  const Plan& plan_;
  const Function& function_;
  std::vector<std::set<int>> read_last_;
  std::string owner_;  // of memory and operands: nothing, or "part."
  std::optional<ir::LayerId> current_layer_;
  std::string text_;
};

}  // namespace

bool mentions(const Function& function, plan::Named named) {
  return std::ranges::any_of(function.steps, [&](const plan::Step& step) {
    return std::ranges::any_of(step.operands, [&](const plan::Operand& operand) {
      const auto* name = std::get_if<plan::Named>(&operand);
      return name != nullptr && *name == named;
    });
  });
}

std::string function_declaration(const Plan& plan, const Function& function) {
  const bool predict = function.kind == FunctionKind::kPredict;
  const bool overrides = function.kind != FunctionKind::kStep;
  return fmt::format("  {} {}({}){};\n{}{}", predict ? "void" : "float", method_name(function), parameters_of(function),
                     overrides ? " override" : "", function.preparation.empty() ? "" : "  void prepare_on_team() override;\n",
                     plan.part == 0 ? "" : fmt::format("  void {}(const cnn::BatchPart& part);\n", part_name(function)));
}

// The frame around the parts of a function: who works on them, and what is made of all their results.
std::string whole_of_parts(const Plan& plan, const Function& function) {
  const bool predict = function.kind == FunctionKind::kPredict;
  const std::string_view operands = predict ? "batch" : mentions(function, plan::Named::kRandom) ? "labels, random" : "labels";
  const std::string parts =
      fmt::format("  for_each_part(images, {}, [this](const cnn::BatchPart& part) {{ {}(part); }});\n", operands, part_name(function));
  if (predict) return parts;
  std::string text = fmt::format("{}{}{}", kBatchOfLabels, kLossesMemory, parts);
  if (function.kind == FunctionKind::kStep) {
    const std::int64_t gradients = plan.phases[static_cast<std::size_t>(function.phase)].gradient_floats;
    text += fmt::format("{}  add_part_gradients({}, batch);\n{}", kUpdate, gradients, kOptimize);
  }
  return text + std::string(kReturnLoss);
}

// Of each step of a preparation the parameters that nobody reads after it, neither the preparation nor the prediction. Small ones share
// pages with others, whose memory can't be given back.
std::vector<std::set<int>> read_last(const Plan& plan, const Function& function) {
  constexpr std::int64_t kSmall = 4096;
  const auto read_by = [&](const plan::Step& step) {
    std::set<int> numbers;
    for (const plan::Operand& operand : step.operands) {
      plan::for_each_memory(operand, {.buffer = [](int) {}, .parameter = [&](int number) { numbers.insert(number); }});
    }
    return numbers;
  };
  std::set<int> later;
  for (const plan::Step& step : function.steps) later.merge(read_by(step));
  std::vector<std::set<int>> result(function.preparation.size());
  for (std::size_t i = result.size(); i-- > 0;) {
    for (const int number : read_by(function.preparation[i])) {
      const bool last = later.insert(number).second;
      if (last && plan.parameters[static_cast<std::size_t>(number)].parameter.elements() >= kSmall) result[i].insert(number);
    }
  }
  return result;
}

std::string preparation_definition(const Plan& plan, const Function& function) {
  Function preparation = function;
  preparation.steps = function.preparation;
  for (Buffer& buffer : preparation.buffers) buffer.last = buffer.prepared ? 0 : -1;
  return fmt::format("// What prediction needs of the weights: made once, and again where they have changed.\nvoid {}::prepare_on_team() {{\n{}}}\n",
                     class_name(plan), Body(plan, preparation, read_last(plan, function)).text());
}

std::string function_definition(const Plan& plan, const Function& function, const Origin& origin) {
  const bool predict = function.kind == FunctionKind::kPredict;
  const std::string head = fmt::format("{} {}::{}({}) {{\n", predict ? "void" : "float", class_name(plan),
                                       method_name(function), parameters_of(function));
  std::string summary;
  if (function.kind == FunctionKind::kStep) {
    const plan::PlannedPhase& phase = plan.phases[static_cast<std::size_t>(function.phase)];
    summary = fmt::format("// {}: {}\n// Phase {}: {} of {} parameters learn; activations{} take {} bytes.\n", phase.phase.line,
                          quoted(origin, phase.phase.line), phase.phase.name,
                          with_commas(plan.trainable_count(static_cast<std::size_t>(function.phase))),
                          with_commas(plan.parameter_count()), plan.part > 0 ? " of a part" : "", with_commas(4 * function.arena_floats));
  } else {
    summary = predict ? "// Forward, as at prediction time: scores for the caller.\n"
                      : "// Forward, as at prediction time, and the loss.\n";
  }
  const std::string preparation = function.preparation.empty() ? "" : preparation_definition(plan, function) + "\n";
  if (plan.part == 0) return preparation + summary + head + Body(plan, function).text() + "}\n";
  const std::string_view way = function.kind == FunctionKind::kStep ? "from the first layer to the last and back" : "through all layers";
  const std::string part_head = fmt::format("// What one task does for a part, {}.\nvoid {}::{}(const cnn::BatchPart& part) {{\n",
                                            way, class_name(plan), part_name(function));
  const std::string part = part_head + Body(plan, function).text() + "}\n";
  return fmt::format("{}{}{}}}\n\n{}", summary, head, whole_of_parts(plan, function), part);
}

}  // namespace cnnc::emit
