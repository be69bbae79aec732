// The network as it runs at prediction time, its weights by name, and what a user of the file must know as
// metadata.
#include "driver/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "formats/atomic_file.hpp"
#include "formats/format_error.hpp"
#include "formats/safetensors.hpp"
#include "lower/lower.hpp"
#include "onnx/export.hpp"
#include "ops/cards.hpp"
#include "passes/passes.hpp"

namespace cnnc::driver {

namespace {

namespace formats = cnn::formats;

const ir::OpRegistry& cards() {
  static const ir::OpRegistry all = ops::registry();
  return all;
}

// Where training works on logits, `predict` shows probabilities: the file does as well.
void end_with_probabilities(ir::Graph& graph, const ir::OpDef& softmax) {
  const ir::TensorId logits = graph.output;
  const ir::NodeId id{static_cast<std::int32_t>(graph.nodes.size())};
  graph.tensors.push_back({graph.tensor(logits).shape, id});
  graph.output = {static_cast<std::int32_t>(graph.tensors.size()) - 1};
  const ir::LayerId layer = graph.node(graph.tensor(logits).producer).layer;
  graph.nodes.push_back({.op = &softmax,
                         .layer = layer,
                         .arguments = ir::default_arguments(softmax),
                         .inputs = {logits},
                         .output = graph.output,
                         .parameters = {}});
}

bool ends_with_logits(const sema::Program& program, const ir::Graph& graph) {
  if (!program.training || program.training->loss != ir::Loss::kCrossEntropy) return false;
  const ir::NodeId last = graph.tensor(graph.output).producer;
  return last.valid() && !graph.node(last).op->traits.probabilities;
}

ir::Graph prediction_graph(const sema::Program& program, const Sources& sources) {
  const ir::Graph whole = lower::lower(program.model, sources);
  const passes::InferenceLayers all(whole.layers.size(), true);
  ir::Graph graph = passes::remove_dead_nodes(passes::remove_identities(whole, all));
  if (ends_with_logits(program, graph)) end_with_probabilities(graph, *cards().find("softmax"));
  return graph;
}

// The network's parameters that nodes still use, against what the file has; a list where they differ.
std::string differences(const ir::Graph& graph, const formats::SafetensorsFile& file) {
  constexpr int kMost = 8;
  int count = 0;
  std::string text;
  const auto line = [&](const std::string& what) {
    if (++count <= kMost) text += "\n  " + what;
  };
  for (const ir::Node& node : graph.nodes) {
    for (const ir::ParameterId id : node.parameters) {
      const ir::Parameter& parameter = graph.parameter(id);
      const formats::TensorEntry* entry = file.find(parameter.name);
      const std::string wanted = formats::extents_text(parameter.extents);
      if (entry == nullptr)
        line(fmt::format("{} {} is missing", parameter.name, wanted));
      else if (entry->extents != parameter.extents || entry->type != "F32")
        line(fmt::format("{} is {} {}, the model needs F32 {}", parameter.name, entry->type,
                         formats::extents_text(entry->extents), wanted));
    }
  }
  if (count > kMost) text += fmt::format("\n  and {} more", count - kMost);
  return text;
}

std::map<std::string, std::string> metadata_of(const formats::SafetensorsFile& file) {
  std::map<std::string, std::string> metadata;
  for (const char* key : {"class_names", "preparation", "model", "spec", "spec_hash"}) {
    if (const auto found = file.metadata().find(key); found != file.metadata().end())
      metadata[key] = found->second;
  }
  return metadata;
}

}  // namespace

int export_onnx(const CommandLine& line, const sema::Program& program, const Sources& sources) {
  try {
    const formats::SafetensorsFile file(line.second);
    const ir::Graph graph = prediction_graph(program, sources);
    if (const std::string text = differences(graph, file); !text.empty()) {
      fmt::print(stderr, "error: {}: not the weights of {}{}\n", line.second, program.model.name, text);
      return 1;
    }
    const auto weights = [&](const ir::Parameter& parameter) { return file.tensor(parameter.name).values; };
    const std::string bytes = onnx::to_onnx(graph, weights, metadata_of(file), CNNC_VERSION);
    formats::write_file_atomically(line.output, bytes);
    fmt::print("{}: {} operators, {:.1f} MB\n", line.output.string(), graph.nodes.size(),
               static_cast<double>(bytes.size()) / 1e6);
    return 0;
  } catch (const formats::FormatError& error) {
    fmt::print(stderr, "error: {}\n", error.what());
  } catch (const std::length_error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
  }
  return 1;
}

}  // namespace cnnc::driver
