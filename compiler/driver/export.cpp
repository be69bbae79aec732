// The network as it runs at prediction time, its weights by name, and what a user of the file must know as
// metadata.
#include "driver/export.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "formats/atomic_file.hpp"
#include "formats/format_error.hpp"
#include "formats/match.hpp"
#include "formats/weights.hpp"
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

ir::Graph prediction_graph(const sema::Program& program, const ir::Graph& whole) {
  const passes::InferenceLayers all(whole.layers.size(), true);
  ir::Graph graph = passes::remove_dead_nodes(passes::remove_identities(whole, all));
  if (ends_with_logits(program, graph)) end_with_probabilities(graph, *cards().find("softmax"));
  return graph;
}

std::vector<formats::WantedTensor> wanted_tensors(const ir::Graph& graph) {
  std::vector<formats::WantedTensor> wanted;
  for (const ir::Parameter& parameter : graph.parameters) {
    formats::WantedTensor tensor{parameter.name, parameter.extents, ""};
    for (const ir::AuxiliaryHead& head : graph.auxiliaries) {
      const std::string path = ir::weight_path(head.path);
      if (parameter.name.starts_with(path + ".")) tensor.head = path;
    }
    wanted.push_back(std::move(tensor));
  }
  return wanted;
}

std::map<std::string, std::string> metadata_of(const formats::WeightsFile& file) {
  std::map<std::string, std::string> metadata;
  for (const char* key : {"class_names", "preparation", "model", "spec", "spec_hash"}) {
    if (const auto found = file.metadata().find(key); found != file.metadata().end())
      metadata[key] = found->second;
  }
  return metadata;
}

// One tensor at a time, in the place of the one before.
class Reader {
 public:
  Reader(const formats::WeightsFile& file, const formats::Pairing& pairing,
         const std::vector<formats::WantedTensor>& wanted)
      : file_(file) {
    for (const formats::TensorPair& pair : pairing.pairs) stored_[wanted[pair.wanted].name] = pair.stored;
  }

  std::span<const float> operator()(const ir::Parameter& parameter) {
    values_.resize(static_cast<std::size_t>(parameter.elements()));
    file_.read(stored_.at(parameter.name), values_);
    return values_;
  }

 private:
  const formats::WeightsFile& file_;
  std::map<std::string, std::size_t> stored_;
  std::vector<float> values_;
};

}  // namespace

int export_onnx(const CommandLine& line, const sema::Program& program, const Sources& sources) {
  try {
    const formats::WeightsFile file(line.second);
    for (const std::string& note : file.notes()) fmt::print(stderr, "note: {}: {}\n", line.second, note);
    const ir::Graph whole = lower::lower(program.model, sources);
    const auto wanted = wanted_tensors(whole);
    const formats::Pairing pairing =
        line.match_by_order
            ? formats::match_in_order(wanted, file.tensors())
            : formats::match_by_name(wanted, file.tensors(), formats::possible_names(wanted, "", ""));
    if (!formats::only_heads_are_missing(pairing, wanted)) {
      fmt::print(stderr, "error: {}: these are not weights of {}{}\n", line.second, program.model.name,
                 formats::mismatch_text(pairing, wanted, file.tensors()));
      return 1;
    }
    const ir::Graph graph = prediction_graph(program, whole);
    const std::string bytes =
        onnx::to_onnx(graph, Reader(file, pairing, wanted), metadata_of(file), CNNC_VERSION);
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
