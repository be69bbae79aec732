// Compares programs line by line in their rendered form, in which every default is written and layouts are one.
#include "driver/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "emit/text.hpp"
#include "sema/render.hpp"

namespace cnnc::driver {

namespace {

struct Line {
  std::string key;   // what makes two lines the same thing: a layer's path, a setting's name
  std::string text;  // what may differ
};

// Marks of a comparison: the longest common subsequence of keys stays; a key whose text differs is changed.
std::string compare(const std::vector<Line>& before, const std::vector<Line>& after) {
  const std::size_t n = before.size(), m = after.size();
  std::vector<std::vector<int>> common(n + 1, std::vector<int>(m + 1, 0));
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = m; j-- > 0;) {
      common[i][j] = before[i].key == after[j].key ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const auto title = [](const Line& line) { return line.key.empty() ? line.text : fmt::format("{}  {}", line.key, line.text); };
  std::string text;
  std::size_t i = 0, j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && before[i].key == after[j].key) {
      if (before[i].text != after[j].text)
        text += fmt::format("  ~ {}  {}\n    {:{}}  {}\n", before[i].key, before[i].text, "->", before[i].key.size(), after[j].text);
      ++i, ++j;
    } else if (i < n && (j == m || common[i + 1][j] >= common[i][j + 1])) {
      text += fmt::format("  - {}\n", title(before[i++]));
    } else {
      text += fmt::format("  + {}\n", title(after[j++]));
    }
  }
  return text;
}

void add_layers(const sema::Sequence& sequence, std::vector<Line>& lines) {
  for (const sema::Item& item : sequence) {
    if (const auto* call = std::get_if<sema::LayerCall>(&item.form)) {
      lines.push_back({call->layer.path, fmt::format("{} -> {}", sema::call_text(call->layer), to_text(call->output))});
    } else if (const auto* merge = std::get_if<sema::Merge>(&item.form)) {
      for (const sema::Sequence& arm : merge->arms) add_layers(arm, lines);
      lines.push_back({merge->layer.path, fmt::format("{} of {} branches -> {}", sema::call_text(merge->layer),
                                                      merge->arms.size(), to_text(merge->output))});
    } else if (const auto* section = std::get_if<sema::Section>(&item.form)) {
      add_layers(section->body, lines);
    } else if (const auto* head = std::get_if<sema::Auxiliary>(&item.form)) {
      add_layers(head->body, lines);
      lines.push_back({head->path, fmt::format("aux(weight={}) -> {}", head->weight, to_text(head->output))});
    }
  }
}

std::vector<Line> layers_of(const sema::Program& program) {
  std::vector<Line> lines{{"input", to_text(program.model.input)}};
  add_layers(program.model.body, lines);
  return lines;
}

// Settings of data and train by their full names: "phase fine_tune: epochs".
std::vector<Line> settings_of(const std::string& rendered) {
  std::vector<Line> lines;
  std::vector<std::string> blocks;
  for (std::size_t begin = 0; begin < rendered.size();) {
    const std::size_t end = std::min(rendered.find('\n', begin), rendered.size());
    std::string text = rendered.substr(begin, end - begin);
    begin = end + 1;
    text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) continue;
    if (text == "}") {
      if (!blocks.empty()) blocks.pop_back();
      continue;
    }
    std::string context;
    for (std::size_t i = 1; i < blocks.size(); ++i) context += blocks[i] + ": ";
    const std::size_t split = std::min(text.find(" = "), text.find('('));
    const std::string key = context + text.substr(0, split);
    if (text.ends_with(" {")) blocks.push_back(text.substr(0, text.size() - 2));
    else lines.push_back({key, split == std::string::npos ? "" : text.substr(split)});
  }
  return lines;
}

std::string figure(std::string_view name, std::int64_t before, std::int64_t after) {
  if (before == after) return "";
  const std::int64_t change = after - before;
  return fmt::format("  {}: {} -> {}  ({}{})\n", name, emit::with_commas(before), emit::with_commas(after), change > 0 ? "+" : "-",
                     emit::with_commas(change > 0 ? change : -change));
}

std::int64_t step_bytes(const plan::Plan& plan, std::size_t phase) {
  for (const plan::Function& function : plan.functions) {
    if (function.kind == plan::FunctionKind::kStep && function.phase == static_cast<int>(phase)) return 4 * function.arena_floats;
  }
  return 0;
}

std::string figures(const plan::Plan& before, const plan::Plan& after) {
  std::string text = figure("parameters", before.parameter_count(), after.parameter_count()) +
                     figure("MAC/image", before.mac_count(), after.mac_count()) +
                     figure("bytes of memory, one thread", 4 * before.memory.floats(1), 4 * after.memory.floats(1));
  for (std::size_t i = 0; i < std::min(before.phases.size(), after.phases.size()); ++i) {
    const std::string& name = after.phases[i].phase.name;
    text += figure(fmt::format("phase {}, parameters that learn", name), before.trainable_count(i), after.trainable_count(i));
    text += figure(fmt::format("phase {}, bytes of activations", name), step_bytes(before, i), step_bytes(after, i));
  }
  return text;
}

std::string part(std::string_view title, const std::string& text) {
  return text.empty() ? "" : fmt::format("{}\n{}", title, text);
}

}  // namespace

std::string diff_text(const Compiled& before, const Compiled& after) {
  std::string text = part("layers", compare(layers_of(before.program), layers_of(after.program)));
  text += part("figures", figures(before.plan, after.plan));
  text += part("data", compare(settings_of(sema::render_data(before.program)), settings_of(sema::render_data(after.program))));
  text += part("training",
               compare(settings_of(sema::render_training(before.program)), settings_of(sema::render_training(after.program))));
  if (text.empty()) return fmt::format("{} and {} mean the same\n", before.program.model.name, after.program.model.name);
  return fmt::format("{} -> {}\n{}", before.program.model.name, after.program.model.name, text);
}

}  // namespace cnnc::driver
