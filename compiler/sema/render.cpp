// Writes models back. Names are written only where the language would not give the same ones by itself; rounds of a named loop
// become a loop again.
#include "sema/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sema/names/scope.hpp"

namespace cnnc::sema {

namespace {

// A pool's stride may be "the kernel", which is no value to write: it is what the argument is when it is left out.
bool can_be_written(const ir::ArgumentDef& definition, const ir::Value& value) {
  const bool takes_words = definition.type != ir::ArgumentType::kPair;
  return takes_words || value.as<ir::Word>() == nullptr;
}

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

// layer2[3] -> 3; none where the path has no index at its end.
std::optional<std::size_t> round_of(std::string_view path) {
  if (!path.ends_with(']')) return std::nullopt;
  const std::size_t open = path.rfind('[');
  return std::stoull(std::string(path.substr(open + 1, path.size() - open - 2)));
}

class ModelText {
 public:
  std::string text(const Model& model) {
    PathScope top("", nullptr);
    lines_ += fmt::format("model {} {{\n", model.name);
    lines_ += fmt::format("  input {}{}{}\n", model.input_name, model.input_name.empty() ? "" : " ", to_text(model.input));
    if (!model.input_name.empty()) top.take(model.input_name, {});
    sequence(model.body, top, 1, model.input_name);
    return lines_ + "}\n";
  }

 private:
  void line(int depth, const std::string& text) { lines_ += std::string(2 * static_cast<std::size_t>(depth), ' ') + text + "\n"; }

  // `skip`: a section that stands for the model's input, which is written already.
  void sequence(const Sequence& items, PathScope& paths, int depth, std::string_view skip = {}) {
    for (const Item& item : items) {
      const auto* section = std::get_if<Section>(&item.form);
      if (section != nullptr && !skip.empty() && section->path == skip) continue;
      std::visit([&](const auto& form) { write(form, paths, depth, ""); }, item.form);
    }
  }

  // "name = " where the layer's number by itself would be another.
  std::string name_of(const ir::Layer& layer, PathScope& paths) {
    const std::string own(last_component(layer.path));
    PathScope untouched = paths;
    if (untouched.number(layer.op->name, {}) == own) {
      paths.number(layer.op->name, {});
      return "";
    }
    paths.take(own, {});
    return own + " = ";
  }

  void write(const LayerCall& call, PathScope& paths, int depth, const std::string& prefix) {
    line(depth, prefix + name_of(call.layer, paths) + call_text(call.layer));
  }

  void write(const Merge& merge, PathScope& paths, int depth, const std::string& prefix) {
    const std::string name = name_of(merge.layer, paths);
    line(depth, prefix + name + call_text(merge.layer) + " {");
    PathScope inner(merge.layer.path, &paths);
    for (const Sequence& arm : merge.arms) {
      const std::size_t begin = lines_.size();
      sequence(arm, name.empty() ? paths : inner, depth + 2);
      if (lines_.size() == begin) line(depth + 2, "identity");
      lines_.replace(begin + 2 * static_cast<std::size_t>(depth + 1), 2, "| ");
    }
    line(depth, "}");
  }

  void write(const Tap& tap, PathScope&, int depth, const std::string& prefix) { line(depth, prefix + "from " + tap.path); }

  void write(const Auxiliary& head, PathScope& paths, int depth, const std::string& prefix) {
    const std::string own(last_component(head.path));
    paths.take(own, {});
    line(depth, fmt::format("{}aux {}(weight={}) {{", prefix, own, to_text(ir::Value{head.weight})));
    PathScope inner(head.path, &paths);
    sequence(head.body, inner, depth + 1);
    line(depth, "}");
  }

  void write(const Section& section, PathScope& paths, int depth, const std::string& prefix) {
    if (section.path.empty()) return sequence(section.body, paths, depth);
    const std::string own(last_component(section.path));
    paths.take(own, {});
    if (is_loop(section)) return loop(section, own, paths, depth, prefix);
    if (section.body.empty()) return line(depth, prefix + own + " = { identity }");
    line(depth, fmt::format("{}{} = {{", prefix, own));
    PathScope inner(section.path, &paths);
    sequence(section.body, inner, depth + 1);
    line(depth, "}");
  }

  static bool is_loop(const Section& section) {
    return !section.body.empty() && std::ranges::all_of(section.body, [](const Item& item) {
      const auto* round = std::get_if<Section>(&item.form);
      return round != nullptr && round_of(round->path).has_value();
    });
  }

  std::string round_text(const Section& round, PathScope& paths, int depth) {
    std::string outside;
    std::swap(outside, lines_);
    PathScope inner(round.path, &paths);
    sequence(round.body, inner, depth);
    std::swap(outside, lines_);
    return outside;
  }

  // Rounds that are alike are a repeat; others are told apart by their number.
  void loop(const Section& section, const std::string& own, PathScope& paths, int depth, const std::string& prefix) {
    std::vector<std::pair<std::size_t, std::string>> rounds;
    for (const Item& item : section.body) {
      const auto& round = std::get<Section>(item.form);
      rounds.emplace_back(*round_of(round.path), round_text(round, paths, depth + 1));
    }
    const std::size_t count = rounds.back().first + 1;
    const bool alike = count == rounds.size() &&
                       std::ranges::all_of(rounds, [&](const auto& one) { return one.second == rounds.front().second; });
    if (alike) {
      line(depth, fmt::format("{}{} = repeat {} {{", prefix, own, count));
      lines_ += rounds.front().second;
      return line(depth, "}");
    }
    line(depth, fmt::format("{}{} = for round in range({}) {{", prefix, own, count));
    std::string chain = "if";
    for (const Item& item : section.body) {
      const auto& round = std::get<Section>(item.form);
      line(depth + 1, fmt::format("{} round == {} {{", chain, *round_of(round.path)));
      lines_ += round_text(round, paths, depth + 2);
      chain = "} else if";
    }
    line(depth + 1, "}");
    line(depth, "}");
  }

  std::string lines_;
};

}  // namespace

std::string call_text(const ir::Layer& layer) {
  std::string arguments;
  bool by_name = false;
  for (const ir::ArgumentDef& definition : layer.op->arguments) {
    const ir::Value& value = layer.arguments.at(definition.name);
    if (!can_be_written(definition, value)) {
      by_name = true;
      continue;
    }
    by_name |= !definition.positional;
    if (!arguments.empty()) arguments += ", ";
    if (by_name) arguments += fmt::format("{}=", definition.name);
    arguments += to_text(value);
  }
  return arguments.empty() ? std::string(layer.op->name) : fmt::format("{}({})", layer.op->name, arguments);
}

std::string render_model(const Model& model) {
  return ModelText().text(model);
}

}  // namespace cnnc::sema
