// The text of the generated constants: geometries, and the tables a program knows itself by.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

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

// Numbers, as many to a line as fit.
std::string numbers_table(std::string_view type, std::string_view name, const std::vector<int>& numbers) {
  std::string text = fmt::format("constexpr {} {}[] = {{", type, name);
  std::string line;
  for (const int number : numbers) {
    const std::string next = fmt::format("{}{}", line.empty() ? "" : " ", number);
    if (line.size() + next.size() > 100) {
      text += "\n    " + line;
      line = std::to_string(number);
    } else {
      line += next;
    }
    line += ',';
  }
  return text + "\n    " + line + "\n};\n\n";
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
    rows.push_back(fmt::format("{{.path = {}, .type = {}, .output = {}, .parameters = {}, .macs = {},\n     .line = {}, .text = {}}}",
                               string_literal(row.path), string_literal(row.type), string_literal(row.output),
                               row.parameters, row.macs, string_literal(row.line.place()), string_literal(row.line.text)));
  }
  return table("cnn::LayerDescription", "kLayers", rows);
}

std::string_view algorithm_name(ir::Optimizer::Kind kind) {
  switch (kind) {
    case ir::Optimizer::Kind::kSgd: return "kSgd";
    case ir::Optimizer::Kind::kAdam: return "kAdam";
    case ir::Optimizer::Kind::kAdamw: return "kAdamw";
    case ir::Optimizer::Kind::kRmsprop: return "kRmsprop";
  }
  return "";
}

std::string optimizer_text(const ir::Optimizer& optimizer) {
  const std::string common = fmt::format("{{.algorithm = cnn::Algorithm::{}, .learning_rate = {}", algorithm_name(optimizer.kind),
                                         double_literal(optimizer.learning_rate));
  const std::string decay = double_literal(optimizer.weight_decay), epsilon = double_literal(optimizer.epsilon);
  switch (optimizer.kind) {
    case ir::Optimizer::Kind::kSgd:
      return fmt::format("{}, .momentum = {}, .nesterov = {}, .weight_decay = {}}}", common, double_literal(optimizer.momentum),
                         optimizer.nesterov, decay);
    case ir::Optimizer::Kind::kRmsprop:
      return fmt::format("{}, .momentum = {}, .weight_decay = {},\n                   .epsilon = {}, .smoothing = {}}}", common,
                         double_literal(optimizer.momentum), decay, epsilon, double_literal(optimizer.smoothing));
    case ir::Optimizer::Kind::kAdam:
    case ir::Optimizer::Kind::kAdamw: break;
  }
  return fmt::format("{}, .weight_decay = {},\n                   .beta1 = {}, .beta2 = {}, .epsilon = {}}}", common, decay,
                     double_literal(optimizer.beta1), double_literal(optimizer.beta2), epsilon);
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
                               "     .learning = {}, .gradients = {}, .work = kWorkInPhase{}}}",
                               string_literal(planned.phase.name), planned.phase.epochs, planned.phase.optimizer.has_value(),
                               optimizer, table_name(name, learning.empty()), planned.gradient_floats, i));
  }
  return text + table("cnn::PhaseDescription", "kPhases", rows);
}

std::string strings_table(std::string_view name, const std::vector<std::string>& texts) {
  std::vector<std::string> rows;
  for (const std::string& text : texts) rows.push_back(string_literal(text));
  return table("std::string_view", name, rows);
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

std::string_view source_name(ir::Data::Source source) {
  switch (source) {
    case ir::Data::Source::kIdx: return "kIdx";
    case ir::Data::Source::kCifar10: return "kCifar10";
    case ir::Data::Source::kFolder: return "kFolder";
    case ir::Data::Source::kList: return "kList";
  }
  return "";
}

// Where the spec gives a number alone, numbers are names; but pictures are named by their folders or their list.
std::vector<std::string> class_names(const ir::Data& data) {
  const bool files_name_them = data.source == ir::Data::Source::kFolder || data.source == ir::Data::Source::kList;
  if (!data.class_names.empty() || files_name_them) return data.class_names;
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < data.classes; ++i) names.push_back(std::to_string(i));
  return names;
}

std::string data_member(const ir::Data& data) {
  const std::string augment = data.augment.empty() ? "" : ", .augment = kAugment";
  return fmt::format(
      "    .data = {{.name = {}, .source = cnn::SourceKind::{}, .directory = {},\n"
      "             .validation = {}, .test = {},\n             .class_names = {}, .prepare = {}{}}},\n",
      string_literal(data.name), source_name(data.source), string_literal(data.directory), split_text(data.validation),
      split_text(data.test), table_name("kClassNames", class_names(data).empty()),
      table_name("kPrepare", data.prepare.empty()), augment);
}

std::string checkpoints(const ir::Training& training) {
  std::vector<std::string> rows;
  for (const ir::Checkpoint& checkpoint : training.callbacks.checkpoints) {
    rows.push_back(fmt::format("{{.file = {}, .monitor = {}}}", string_literal(checkpoint.file), string_literal(checkpoint.monitor)));
  }
  return table("cnn::CheckpointDescription", "kCheckpoints", rows);
}

// The rows refer to lists of tensors, which come first.
std::string initial_weights(const Plan& plan) {
  std::string text;
  std::vector<std::string> rows;
  for (const ir::InitialWeights& one : plan.training->initial_weights) {
    std::vector<int> tensors;
    for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
      const auto layer = static_cast<std::size_t>(plan.parameters[i].parameter.layer.index);
      if (one.layers[layer]) tensors.push_back(static_cast<int>(i));
    }
    const std::string name = fmt::format("kInitialTensors{}", rows.size());
    text += numbers_table("int", name, tensors);
    rows.push_back(fmt::format("{{.path = {}, .prefix = {}, .section = {},\n     .file = {}, .by_order = {}, .tensors = {}}}",
                               string_literal(one.path), string_literal(ir::weight_path(one.prefix)),
                               string_literal(ir::weight_path(one.section)), string_literal(one.file), one.by_order, name));
  }
  return text + table("cnn::InitialWeightsDescription", "kInitialWeights", rows);
}

// What labels ask for where it is more than their class.
std::string cross_entropy_targets(const Plan& plan) {
  const auto asks = [](const plan::Function& function) { return mentions(function, plan::Named::kTargets); };
  if (std::ranges::none_of(plan.functions, asks)) return "";
  std::string text, weights;
  if (!plan.training->class_weights.empty()) {
    std::vector<std::string> numbers;
    for (const double weight : plan.training->class_weights) numbers.push_back(float_literal(weight));
    text = braced_text("constexpr float kClassWeights[]", numbers);
    weights = ".class_weights = kClassWeights, ";
  }
  return text + fmt::format("constexpr cnn::CrossEntropyTargets kTargets{{{}.label_smoothing = {}}};\n", weights,
                            float_literal(plan.training->label_smoothing));
}

std::string_view loss_name(ir::Loss loss) {
  switch (loss) {
    case ir::Loss::kCrossEntropy: return "kCrossEntropy";
    case ir::Loss::kMeanSquaredError: return "kMeanSquaredError";
    case ir::Loss::kBinaryCrossEntropy: return "kBinaryCrossEntropy";
    case ir::Loss::kLenet5Map: return "kLenet5Map";
  }
  return "";
}

std::string training_member(const ir::Training& training) {
  const std::string initial = training.initial_weights.empty() ? "" : "\n                 .initial_weights = kInitialWeights,";
  return fmt::format(
      "    .training = {{.loss = cnn::LossKind::{}, .metrics = {}, .seed = {}, .save_every = {},\n"
      "                 .checkpoints = {},{} .phases = {}}},\n",
      loss_name(training.loss),
      table_name("kMetrics", training.metrics.empty()), training.seed, training.save_every,
      table_name("kCheckpoints", training.callbacks.checkpoints.empty()), initial, table_name("kPhases", training.phases.empty()));
}

}  // namespace

std::string geometry_constants(const Plan& plan) {
  std::string text;
  std::string assertions;
  for (const plan::Geometry& geometry : plan.geometries) {
    std::vector<std::string> fields;
    for (const ir::GeometryField& field : geometry.fields) fields.push_back(field_text(field));
    text += braced_text(fmt::format("constexpr cnn::{} {}", geometry.type, geometry.name), fields);
    for (const auto& [function, floats] : geometry.prepared) {
      assertions += fmt::format("static_assert(cnn::{}({}) == {});\n", function, geometry.name, floats);
    }
    const auto assert_scratch = [&](const std::map<std::string, ir::ScratchSize>& sizes, std::string_view images) {
      for (const auto& [function, size] : sizes) {
        assertions += fmt::format("static_assert(cnn::{}({}, {}) == cnn::ScratchSize{{{}, {}{}}});\n", function, geometry.name, images,
                                  size.per_thread, size.shared, size.least_shared == 0 ? "" : fmt::format(", {}", size.least_shared));
      }
    };
    assert_scratch(geometry.scratch, plan.part > 0 ? "kPart" : "kBatch");
    assert_scratch(geometry.predicted_scratch, "kPredicted");
  }
  text += cross_entropy_targets(plan);
  if (!assertions.empty()) text += "\n// The plan has room for what the kernels need.\n" + assertions;
  return text;
}

std::string description_tables(const Plan& plan, const Origin& origin) {
  std::string text = tensors(plan) + layers(plan) + work_tables(plan);
  if (plan.data) text += strings_table("kClassNames", class_names(*plan.data)) + transform_tables(*plan.data);
  if (plan.training) {
    text += strings_table("kMetrics", plan.training->metrics) + checkpoints(*plan.training) + initial_weights(plan) +
            phases(plan);
  }
  text += strings_table("kAuxiliaries", plan.auxiliaries);
  text += fmt::format(
      "constexpr cnn::ModelDescription kModel{{\n"
      "    .name = {}, .program = {}, .spec = {}, .version = {}, .spec_hash = {},\n"
      "    .rendered ={},\n"
      "    .input = {{{}, {}, {}}}, .outputs = {}, .outputs_logits = {}, .batch = kBatch,{}\n"
      "    .tensors = {}, .layers = {}, .predict_work = {},{}\n",
      string_literal(plan.model), string_literal(plan.program), string_literal(origin.spec), string_literal(origin.version),
      string_literal(origin.spec_hash), long_string_literal(origin.rendered, 8), plan.input.channels, plan.input.height,
      plan.input.width, plan.output.elements(), plan.outputs_logits, plan.part > 0 ? " .part = kPart," : plan.predicted > 0 ? " .predicted = kPredicted," : "", table_name("kTensors", plan.parameters.empty()),
      table_name("kLayers", plan.layers.empty()), table_name("kWorkInPredict", plan.layers.empty()), plan.auxiliaries.empty() ? "" : " .auxiliaries = kAuxiliaries,");
  if (plan.data) text += data_member(*plan.data);
  if (plan.training) text += training_member(*plan.training);
  const plan::Memory& memory = plan.memory;
  std::string parts;
  if (plan.part > 0) {
    parts = fmt::format(",\n               .part_gradients = {}, .part_activations = {}, .part_scratch = {}", memory.part_gradients,
                        memory.part_activations, memory.part_scratch);
  }
  return text + fmt::format("    .memory = {{.parameters = {}, .gradients = {}, .optimizer = {}, .activations = {},\n"
                            "               .thread_scratch = {}{}}},\n}};\n",
                            memory.parameters, memory.gradients, memory.optimizer, memory.activations, memory.thread_scratch, parts);
}

}  // namespace cnnc::emit
