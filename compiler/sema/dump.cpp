// A program as text, for --dump=model.
#include <fmt/format.h>

#include "sema/render.hpp"

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

}  // namespace

std::string dump(const Program& program) {
  const Model& model = program.model;
  std::string text = fmt::format("# program {}\nmodel {} {{\n  input {}{}{}\n", program.name, model.name,
                                 model.input_name, model.input_name.empty() ? "" : " ", to_text(model.input));
  dump_sequence(model.body, "  ", text);
  text += fmt::format("  # output {}\n}}\n", to_text(model.output));
  return text + render_data(program) + render_training(program);
}

}  // namespace cnnc::sema
