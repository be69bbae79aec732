// Writes data and training back.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sema/render.hpp"

namespace cnnc::sema {

namespace {

std::string text(const std::string& string) {
  return to_text(ir::Value{string});
}

std::string number(double value) {
  return to_text(ir::Value{value});
}

std::string numbers(const std::vector<double>& values) {
  std::vector<std::string> words;
  for (const double value : values) words.push_back(number(value));
  return fmt::format("[{}]", fmt::join(words, ", "));
}

std::string split(std::string_view name, const ir::Split& split) {
  switch (split.kind) {
    case ir::Split::Kind::kNone: return "";
    case ir::Split::Kind::kFraction: return fmt::format(", {}={}", name, number(split.fraction));
    case ir::Split::Kind::kCount: return fmt::format(", {}={}", name, split.count);
    case ir::Split::Kind::kTest: return fmt::format(", {}=test", name);
  }
  return "";
}

std::string transform(const ir::Transform& transform) {
  if (transform.kind == ir::Transform::Kind::kResize) return fmt::format("resize({}x{})", transform.height, transform.width);
  return fmt::format("normalize(mean={}, std={})", numbers(transform.mean), numbers(transform.std_deviation));
}

std::string optimizer(const ir::Optimizer& optimizer) {
  if (optimizer.kind == ir::Optimizer::Kind::kSgd) {
    return fmt::format("sgd(lr={}, momentum={}, nesterov={}, weight_decay={})", number(optimizer.learning_rate),
                       number(optimizer.momentum), optimizer.nesterov, number(optimizer.weight_decay));
  }
  return fmt::format("{}(lr={}, beta1={}, beta2={}, eps={}, weight_decay={})",
                     optimizer.kind == ir::Optimizer::Kind::kAdam ? "adam" : "adamw", number(optimizer.learning_rate),
                     number(optimizer.beta1), number(optimizer.beta2), number(optimizer.epsilon),
                     number(optimizer.weight_decay));
}

}  // namespace

std::string render_data(const Program& program) {
  if (!program.data) return "";
  const ir::Data& data = *program.data;
  std::string lines = fmt::format("data {} {{\n  source = idx({}{}{})\n", data.name, text(data.directory),
                                  split("val", data.validation), split("test", data.test));
  if (data.class_names.empty()) {
    lines += fmt::format("  classes = {}\n", data.classes);
  } else {
    std::vector<std::string> names;
    for (const std::string& name : data.class_names) names.push_back(text(name));
    lines += fmt::format("  classes = [{}]\n", fmt::join(names, ", "));
  }
  if (!data.prepare.empty()) {
    lines += "  prepare {\n";
    for (const ir::Transform& one : data.prepare) lines += fmt::format("    {}\n", transform(one));
    lines += "  }\n";
  }
  return lines + "}\n";
}

std::string render_training(const Program& program) {
  if (!program.training) return "";
  const ir::Training& training = *program.training;
  std::string lines = fmt::format(
      "train {} on {} {{\n  loss = {}\n  metrics = [{}]\n  batch = {}\n  seed = {}\n  save_every = {}\n", program.model.name,
      training.data_name, training.loss == ir::Loss::kCrossEntropy ? "cross_entropy" : "mse",
      fmt::join(training.metrics, ", "), training.batch, training.seed, training.save_every);
  for (const ir::Checkpoint& one : training.checkpoints) {
    lines += fmt::format("  checkpoint({}, monitor={})\n", text(one.file), one.monitor);
  }
  for (const ir::Phase& phase : training.phases) {
    lines += fmt::format("  phase {} {{\n", phase.name);
    lines += fmt::format("    epochs = {}\n", phase.epochs);
    if (phase.optimizer) lines += fmt::format("    optimizer = {}\n", optimizer(*phase.optimizer));
    lines += "  }\n";
  }
  return lines + "}\n";
}

std::string render(const Program& program) {
  std::string text = "cnn 1\n\n" + render_model(program.model);
  for (const std::string& part : {render_data(program), render_training(program)}) {
    if (!part.empty()) text += "\n" + part;
  }
  return text;
}

}  // namespace cnnc::sema
