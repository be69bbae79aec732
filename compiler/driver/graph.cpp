// From a pipeline to nodes, edges and clusters.
#include "driver/graph.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <vector>

#include "driver/process.hpp"
#include "support/files.hpp"

namespace cnnc::driver {

namespace {

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::filesystem::path temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "cnnc-graph-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error(fmt::format("no folder for temporary files: {}", name));
  return name;
}

class Dot {
 public:
  std::string text(const sema::Model& model) {
    text_ = fmt::format("digraph {} {{\n", in_quotes(model.name));
    text_ += "  graph [rankdir=TB, fontname=\"Helvetica\", style=\"rounded\", color=\"#8899aa\"];\n";
    text_ += "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f4f7fa\", color=\"#445566\", fontname=\"Helvetica\"];\n";
    text_ += "  edge [color=\"#445566\"];\n";
    const int input = node(model.input_name.empty() ? "input" : model.input_name, "", to_text(model.input), 1);
    outputs_[model.input_name] = input;
    sequence(model.body, input, 1);
    return text_ + edges_ + "}\n";
  }

 private:
  void line(int depth, const std::string& text) { text_ += std::string(2 * static_cast<std::size_t>(depth), ' ') + text + "\n"; }

  int node(std::string_view path, std::string_view what, const std::string& shape, int depth) {
    const std::string_view name = path.substr(path.rfind('.') + 1);
    const std::string label = what.empty() ? fmt::format("{}\\n{}", name, shape) : fmt::format("{}: {}\\n{}", name, what, shape);
    line(depth, fmt::format("n{} [label=\"{}\", tooltip={}];", nodes_, label, in_quotes(path)));
    return nodes_++;
  }

  void edge(int from, int to, bool dashed = false) {
    edges_ += fmt::format("  n{} -> n{}{};\n", from, to, dashed ? " [style=dashed]" : "");
  }

  int sequence(const sema::Sequence& items, int current, int depth) {
    for (const sema::Item& item : items) {
      current = std::visit([&](const auto& form) { return draw(form, current, depth); }, item.form);
    }
    return current;
  }

  int draw(const sema::LayerCall& call, int current, int depth) {
    const ir::Layer& layer = call.layer;
    std::string what(layer.op->name);
    if (layer.activation != nullptr) what += fmt::format(" + {}", layer.activation->name);
    const int id = node(layer.path, what, to_text(call.output), depth);
    edge(current, id);
    return outputs_[layer.path] = id;
  }

  int draw(const sema::Merge& merge, int current, int depth) {
    std::vector<int> ends;
    for (const sema::Sequence& arm : merge.arms) ends.push_back(sequence(arm, current, depth));
    const int id = node(merge.layer.path, merge.layer.op->name, to_text(merge.output), depth);
    for (const int end : ends) edge(end, id);
    return outputs_[merge.layer.path] = id;
  }

  int draw(const sema::Tap& tap, int current, int) {
    const auto found = outputs_.find(tap.path);
    return found == outputs_.end() ? current : found->second;
  }

  int draw(const sema::Section& section, int current, int depth) {
    if (section.body.empty()) return outputs_[section.path] = current;
    const std::string_view name = std::string_view(section.path).substr(section.path.rfind('.') + 1);
    const std::string label = section.path.empty()    ? section.called
                              : section.called.empty() ? std::string(name)
                                                       : fmt::format("{} = {}", name, section.called);
    line(depth, fmt::format("subgraph cluster_{} {{", clusters_++));
    line(depth + 1, fmt::format("label={};", in_quotes(label)));
    current = sequence(section.body, current, depth + 1);
    line(depth, "}");
    if (!section.path.empty()) outputs_[section.path] = current;
    return current;
  }

  int draw(const sema::Auxiliary& head, int current, int depth) {
    line(depth, fmt::format("subgraph cluster_{} {{", clusters_++));
    line(depth + 1, fmt::format("label={}; style=\"rounded,dashed\";",
                                in_quotes(fmt::format("aux {} (weight {})", head.path.substr(head.path.rfind('.') + 1), head.weight))));
    sequence(head.body, current, depth + 1);
    line(depth, "}");
    return current;
  }

  std::string text_, edges_;
  int nodes_ = 0, clusters_ = 0;
  std::map<std::string, int, std::less<>> outputs_;
};

}  // namespace

// Graphviz reads and writes files; both are ours and go away.
std::string draw_svg(const std::string& dot) {
  const std::filesystem::path program = find_program("dot");
  if (program.empty()) throw std::runtime_error("Graphviz's dot is not installed, and it draws the SVG");
  const std::filesystem::path folder = temporary_folder();
  const std::filesystem::path source = folder / "graph.dot", drawing = folder / "graph.svg", log = folder / "log";
  std::ofstream(source, std::ios::binary) << dot;
  const int status = run_and_wait({program.string(), "-Tsvg", "-o", drawing.string(), source.string()}, log);
  const auto text = read_text(drawing), complaint = read_text(log);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (status != 0 || !text.ok) throw std::runtime_error(fmt::format("dot failed: {}", complaint.text));
  return text.text;
}

std::string graph_dot(const sema::Model& model) {
  return Dot().text(model);
}

}  // namespace cnnc::driver
