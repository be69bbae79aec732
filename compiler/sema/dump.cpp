// A program as text, for --dump=model.
#include <fmt/format.h>

#include "sema/model.hpp"

namespace cnnc::sema {

namespace {

std::string arguments_text(const ir::ArgumentValues& arguments) {
  std::string text;
  for (const auto& [name, value] : arguments.all())
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, to_text(value));
  return fmt::format("({})", text);
}

void dump_sequence(const Sequence& sequence, const std::string& indent, std::string& text);

struct ItemText {
  const std::string& indent;
  std::string& text;

  void operator()(const LayerCall& call) const {
    text += fmt::format("{}{} = {}{} -> {}\n", indent, call.layer.path, call.layer.op->name,
                        arguments_text(call.layer.arguments), to_text(call.output));
  }
  void operator()(const Merge& merge) const {
    text += fmt::format("{}{} = {}{} -> {} {{\n", indent, merge.layer.path, merge.layer.op->name,
                        arguments_text(merge.layer.arguments), to_text(merge.output));
    for (const Sequence& arm : merge.arms) {
      text += fmt::format("{}  |{}\n", indent, arm.empty() ? " identity" : "");
      dump_sequence(arm, indent + "    ", text);
    }
    text += indent + "}\n";
  }
  void operator()(const Tap& tap) const { text += fmt::format("{}from {}\n", indent, tap.path); }
  void operator()(const Section& section) const {
    dump_sequence(section.body, indent, text);
    if (!section.path.empty() && !section.body.empty()) text += fmt::format("{}# end of {}\n", indent, section.path);
  }
  void operator()(const Auxiliary& head) const {
    text += fmt::format("{}aux {}(weight={}) -> {} {{\n", indent, head.path, head.weight, to_text(head.output));
    dump_sequence(head.body, indent + "  ", text);
    text += indent + "}\n";
  }
};

void dump_sequence(const Sequence& sequence, const std::string& indent, std::string& text) {
  for (const Item& item : sequence) std::visit(ItemText{indent, text}, item.form);
}

std::string split_text(const ir::Split& split) {
  switch (split.kind) {
    case ir::Split::Kind::kNone:
      return "none";
    case ir::Split::Kind::kFraction:
      return fmt::format("{}", split.fraction);
    case ir::Split::Kind::kCount:
      return fmt::format("{} images", split.count);
    case ir::Split::Kind::kTest:
      return "test";
  }
  return "";
}

std::string numbers_text(const std::vector<double>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

void dump_data(const ir::Data& data, std::string& text) {
  text += fmt::format("data {} {{\n  source = idx(\"{}\", val={}, test={})\n  classes = {}\n", data.name,
                      data.directory, split_text(data.validation), split_text(data.test), data.classes);
  for (const std::string& name : data.class_names) text += fmt::format("  class \"{}\"\n", name);
  for (const ir::Transform& transform : data.prepare) {
    if (transform.kind == ir::Transform::Kind::kResize) {
      text += fmt::format("  resize({}x{})\n", transform.height, transform.width);
    } else {
      text += fmt::format("  normalize(mean={}, std={})\n", numbers_text(transform.mean),
                          numbers_text(transform.std_deviation));
    }
  }
  text += "}\n";
}

std::string optimizer_text(const ir::Optimizer& optimizer) {
  if (optimizer.kind == ir::Optimizer::Kind::kSgd) {
    return fmt::format("sgd(lr={}, momentum={}, nesterov={}, weight_decay={})", optimizer.learning_rate,
                       optimizer.momentum, optimizer.nesterov, optimizer.weight_decay);
  }
  return fmt::format("{}(lr={}, beta1={}, beta2={}, eps={}, weight_decay={})",
                     optimizer.kind == ir::Optimizer::Kind::kAdam ? "adam" : "adamw", optimizer.learning_rate,
                     optimizer.beta1, optimizer.beta2, optimizer.epsilon, optimizer.weight_decay);
}

// Flags of layers by their position: "0-3, 7".
std::string flags_text(const std::vector<bool>& flags) {
  std::string text;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (!flags[i]) continue;
    const std::size_t begin = i;
    while (i + 1 < flags.size() && flags[i + 1]) ++i;
    text += text.empty() ? "" : ", ";
    text += begin == i ? fmt::format("{}", begin) : fmt::format("{}-{}", begin, i);
  }
  return text.empty() ? "none" : text;
}

void dump_training(const std::string& model, const ir::Training& training, std::string& text) {
  text += fmt::format(
      "train {} on {} {{\n  loss = {}\n  metrics = [{}]\n  batch = {}\n  seed = {}\n  save_every = {}\n",
      model, training.data_name, training.loss == ir::Loss::kCrossEntropy ? "cross_entropy" : "mse",
      fmt::join(training.metrics, ", "), training.batch, training.seed, training.save_every);
  for (const ir::Checkpoint& checkpoint : training.checkpoints) {
    text += fmt::format("  checkpoint(\"{}\", monitor={})\n", checkpoint.file, checkpoint.monitor);
  }
  for (const ir::Phase& phase : training.phases) {
    text += fmt::format("  phase {} {{\n    epochs = {}\n    optimizer = {}\n    # frozen layers: {}\n  }}\n",
                        phase.name, phase.epochs,
                        phase.optimizer ? optimizer_text(*phase.optimizer) : "that of the phase before",
                        flags_text(phase.frozen));
  }
  text += "}\n";
}

}  // namespace

std::string dump(const Program& program) {
  const Model& model = program.model;
  std::string text = fmt::format("# program {}\nmodel {} {{\n  input {}{}{}\n", program.name, model.name,
                                 model.input_name, model.input_name.empty() ? "" : " ", to_text(model.input));
  dump_sequence(model.body, "  ", text);
  text += fmt::format("  # output {}\n}}\n", to_text(model.output));
  if (program.data) dump_data(*program.data, text);
  if (program.training) dump_training(model.name, *program.training, text);
  return text;
}

}  // namespace cnnc::sema
