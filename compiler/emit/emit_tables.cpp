// The text of the generated constants: geometries, and the tables a program knows itself by.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emit/parts.hpp"
#include "emit/text.hpp"

namespace cnnc::emit {

namespace {

using plan::Plan;

std::string field_text(const ir::GeometryField& field) {
  const auto value = std::visit(
      [](auto v) -> std::string {
        if constexpr (std::is_same_v<decltype(v), double>) return float_literal(v);
        else if constexpr (std::is_same_v<decltype(v), std::vector<std::int64_t>>) return fmt::format("{{{}}}", fmt::join(v, ", "));
        else return fmt::format("{}", v);
      },
      field.value);
  return fmt::format(".{} = {}", field.name, value);
}

// A table of rows; an empty one is left out, and spans to it are empty.
std::string table(std::string_view type, std::string_view name, const std::vector<std::string>& rows) {
  if (rows.empty()) return "";
  return fmt::format("constexpr {} {}[] = {{\n    {},\n}};\n\n", type, name, fmt::join(rows, ",\n    "));
}
std::string table_name(std::string_view name, bool empty) {
  return empty ? "{}" : std::string(name);
}

std::string floats_text(const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(float_literal(value));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string_view initial_name(ir::Initializer::Kind kind) {
  switch (kind) {
    case ir::Initializer::Kind::kConstant: return "kConstant";
    case ir::Initializer::Kind::kUniform: return "kUniform";
    case ir::Initializer::Kind::kNormal: return "kNormal";
  }
  return "";
}

std::string tensors(const Plan& plan) {
  std::vector<std::string> rows;
  for (const plan::PlacedParameter& placed : plan.parameters) {
    const ir::Parameter& parameter = placed.parameter;
    rows.push_back(fmt::format("{{.name = {}, .extents = {{{}}}, .rank = {}, .offset = {}, .count = {},\n"
                               "     .initial = cnn::InitialValues::{}, .value = {}, .statistic = {}}}",
                               string_literal(parameter.name), fmt::join(parameter.extents, ", "), parameter.extents.size(),
                               placed.offset, parameter.elements(), initial_name(parameter.initializer.kind),
                               float_literal(parameter.initializer.value), parameter.statistic));
  }
  return table("cnn::TensorDescription", "kTensors", rows);
}

std::string layers(const Plan& plan) {
  std::vector<std::string> rows;
  for (const plan::LayerRow& row : plan.layers) {
    rows.push_back(fmt::format("{{.path = {}, .type = {}, .output = {}, .parameters = {}, .macs = {}, .line = {}}}",
                               string_literal(row.path), string_literal(row.type), string_literal(row.output),
                               row.parameters, row.macs, string_literal(row.line.place())));
  }
  return table("cnn::LayerDescription", "kLayers", rows);
}

std::string optimizer_text(const ir::Optimizer& optimizer) {
  const std::string_view algorithm = optimizer.kind == ir::Optimizer::Kind::kSgd    ? "kSgd"
                                     : optimizer.kind == ir::Optimizer::Kind::kAdam ? "kAdam"
                                                                                    : "kAdamw";
  const std::string common = fmt::format("{{.algorithm = cnn::Algorithm::{}, .learning_rate = {}", algorithm,
                                         double_literal(optimizer.learning_rate));
  if (optimizer.kind == ir::Optimizer::Kind::kSgd) {
    return fmt::format("{}, .momentum = {}, .nesterov = {}, .weight_decay = {}}}", common, double_literal(optimizer.momentum),
                       optimizer.nesterov, double_literal(optimizer.weight_decay));
  }
  return fmt::format("{}, .weight_decay = {},\n                   .beta1 = {}, .beta2 = {}, .epsilon = {}}}", common,
                     double_literal(optimizer.weight_decay), double_literal(optimizer.beta1), double_literal(optimizer.beta2),
                     double_literal(optimizer.epsilon));
}

std::string phases(const Plan& plan) {
  std::string text;
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    const plan::PlannedPhase& planned = plan.phases[i];
    std::vector<std::string> learning;
    for (std::size_t j = 0; j < planned.learning.size(); ++j) {
      learning.push_back(fmt::format("{{.tensor = {}, .gradient_offset = {}}}", planned.learning[j], planned.gradient_offsets[j]));
    }
    const std::string name = fmt::format("kLearningInPhase{}", i);
    text += table("cnn::LearningTensor", name, learning);
    const std::string optimizer = planned.phase.optimizer ? optimizer_text(*planned.phase.optimizer) : "{}";
    rows.push_back(fmt::format("{{.name = {}, .epochs = {}, .has_optimizer = {},\n     .optimizer = {},\n"
                               "     .learning = {}, .gradients = {}}}",
                               string_literal(planned.phase.name), planned.phase.epochs, planned.phase.optimizer.has_value(),
                               optimizer, table_name(name, learning.empty()), planned.gradient_floats));
  }
  return text + table("cnn::PhaseDescription", "kPhases", rows);
}

std::string strings_table(std::string_view name, const std::vector<std::string>& texts) {
  std::vector<std::string> rows;
  for (const std::string& text : texts) rows.push_back(string_literal(text));
  return table("std::string_view", name, rows);
}

std::string prepare(const ir::Data& data) {
  std::string text;
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < data.prepare.size(); ++i) {
    const ir::Transform& transform = data.prepare[i];
    if (transform.kind == ir::Transform::Kind::kResize) {
      rows.push_back(fmt::format("{{.kind = cnn::TransformKind::kResize, .height = {}, .width = {}}}", transform.height,
                                 transform.width));
      continue;
    }
    text += fmt::format("constexpr float kMean{}[] = {{{}}};\nconstexpr float kStdDeviation{}[] = {{{}}};\n\n", i,
                        floats_text(transform.mean), i, floats_text(transform.std_deviation));
    rows.push_back(fmt::format("{{.kind = cnn::TransformKind::kNormalize, .mean = kMean{}, .std_deviation = kStdDeviation{}}}", i, i));
  }
  return text + table("cnn::TransformDescription", "kPrepare", rows);
}

std::string split_text(const ir::Split& split) {
  switch (split.kind) {
    case ir::Split::Kind::kNone: return "{}";
    case ir::Split::Kind::kFraction: return fmt::format("{{.kind = cnn::SplitKind::kFraction, .fraction = {}}}", split.fraction);
    case ir::Split::Kind::kCount: return fmt::format("{{.kind = cnn::SplitKind::kCount, .count = {}}}", split.count);
    case ir::Split::Kind::kTest: return "{.kind = cnn::SplitKind::kTest}";
  }
  return "";
}

std::string data_member(const ir::Data& data) {
  return fmt::format(
      "    .data = {{.name = {}, .source = cnn::SourceKind::kIdx, .directory = {},\n"
      "             .validation = {}, .test = {},\n             .class_names = {}, .prepare = {}}},\n",
      string_literal(data.name), string_literal(data.directory), split_text(data.validation), split_text(data.test),
      table_name("kClassNames", data.class_names.empty() && data.classes == 0), table_name("kPrepare", data.prepare.empty()));
}

std::vector<std::string> class_names(const ir::Data& data) {
  if (!data.class_names.empty()) return data.class_names;
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < data.classes; ++i) names.push_back(std::to_string(i));
  return names;
}

std::string checkpoints(const ir::Training& training) {
  std::vector<std::string> rows;
  for (const ir::Checkpoint& checkpoint : training.callbacks.checkpoints) {
    rows.push_back(fmt::format("{{.file = {}, .monitor = {}}}", string_literal(checkpoint.file), string_literal(checkpoint.monitor)));
  }
  return table("cnn::CheckpointDescription", "kCheckpoints", rows);
}

std::string training_member(const ir::Training& training) {
  return fmt::format(
      "    .training = {{.loss = cnn::LossKind::{}, .metrics = {}, .seed = {}, .save_every = {},\n"
      "                 .checkpoints = {}, .phases = {}}},\n",
      training.loss == ir::Loss::kCrossEntropy ? "kCrossEntropy"
      : training.loss == ir::Loss::kLenet5Map  ? "kLenet5Map"
                                               : "kMeanSquaredError",
      table_name("kMetrics", training.metrics.empty()), training.seed, training.save_every,
      table_name("kCheckpoints", training.callbacks.checkpoints.empty()), table_name("kPhases", training.phases.empty()));
}

}  // namespace

std::string geometry_constants(const Plan& plan) {
  std::string text;
  std::string assertions;
  for (const plan::Geometry& geometry : plan.geometries) {
    std::vector<std::string> fields;
    for (const ir::GeometryField& field : geometry.fields) fields.push_back(field_text(field));
    text += braced_text(fmt::format("constexpr cnn::{} {}", geometry.type, geometry.name), fields);
    if (geometry.scratch_function.empty()) continue;
    assertions += fmt::format("static_assert(cnn::{}({}, kBatch) == cnn::ScratchSize{{{}, {}}});\n", geometry.scratch_function,
                              geometry.name, geometry.scratch.per_thread, geometry.scratch.shared);
  }
  if (!assertions.empty()) text += "\n// The plan has room for what the kernels need.\n" + assertions;
  return text;
}

std::string description_tables(const Plan& plan, const Origin& origin) {
  std::string text = tensors(plan) + layers(plan);
  if (plan.data) text += strings_table("kClassNames", class_names(*plan.data)) + prepare(*plan.data);
  if (plan.training) text += strings_table("kMetrics", plan.training->metrics) + checkpoints(*plan.training) + phases(plan);
  text += fmt::format(
      "constexpr cnn::ModelDescription kModel{{\n"
      "    .name = {}, .program = {}, .spec = {}, .version = {}, .spec_hash = {},\n"
      "    .rendered ={},\n"
      "    .input = {{{}, {}, {}}}, .outputs = {}, .outputs_logits = {}, .batch = kBatch,\n"
      "    .tensors = {}, .layers = {},\n",
      string_literal(plan.model), string_literal(plan.program), string_literal(origin.spec), string_literal(origin.version),
      string_literal(origin.spec_hash), long_string_literal(origin.rendered, 8), plan.input.channels, plan.input.height,
      plan.input.width, plan.output.elements(), plan.outputs_logits, table_name("kTensors", plan.parameters.empty()),
      table_name("kLayers", plan.layers.empty()));
  if (plan.data) text += data_member(*plan.data);
  if (plan.training) text += training_member(*plan.training);
  const plan::Memory& memory = plan.memory;
  return text + fmt::format("    .memory = {{.parameters = {}, .gradients = {}, .optimizer = {}, .activations = {},\n"
                            "               .shared_scratch = {}, .thread_scratch = {}}},\n}};\n",
                            memory.parameters, memory.gradients, memory.optimizer, memory.activations, memory.shared_scratch,
                            memory.thread_scratch);
}

}  // namespace cnnc::emit
