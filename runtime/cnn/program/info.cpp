// `info`: what the program is, for people and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cnn/core/instructions.hpp"
#include "commands.hpp"
#include "describe.hpp"
#include "text.hpp"

namespace cnn::program {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t total_macs(const ModelDescription& model) {
  std::int64_t macs = 0;
  for (const LayerDescription& layer : model.layers) macs += layer.macs;
  return macs;
}

std::int64_t learning_count(const ModelDescription& model, const PhaseDescription& phase) {
  std::int64_t count = 0;
  for (const LearningTensor& learning : phase.learning)
    count += static_cast<std::int64_t>(model.tensors[static_cast<std::size_t>(learning.tensor)].count);
  return count;
}

/// Parameters that learn in at least one phase.
std::int64_t trainable_count(const ModelDescription& model) {
  std::int64_t count = 0;
  for (std::size_t tensor = 0; tensor < model.tensors.size(); ++tensor) {
    bool learns = false;
    for (const PhaseDescription& phase : model.training.phases)
      for (const LearningTensor& learning : phase.learning)
        learns |= learning.tensor == static_cast<int>(tensor);
    if (learns) count += static_cast<std::int64_t>(model.tensors[tensor].count);
  }
  return count;
}

Json phase_json(const ModelDescription& model, const PhaseDescription& phase) {
  Json json = {{"name", phase.name}, {"epochs", phase.epochs}, {"trainable", learning_count(model, phase)}};
  json["optimizer"] = phase.has_optimizer ? Json(optimizer_text(phase.optimizer)) : Json(nullptr);
  return json;
}

Json info_json(const ModelDescription& model, int threads) {
  Json layers = Json::array();
  for (const LayerDescription& layer : model.layers)
    layers.push_back({{"path", layer.path},
                      {"type", layer.type},
                      {"output", layer.output},
                      {"parameters", layer.parameters},
                      {"macs", layer.macs},
                      {"line", layer.line}});
  Json phases = Json::array();
  for (const PhaseDescription& phase : model.training.phases) phases.push_back(phase_json(model, phase));
  Json memory = {{"threads", threads}};
  for (const auto& [name, bytes] : memory_regions(model, threads)) memory[name] = bytes;
  memory["total"] = arena_floats(model, threads) * sizeof(float);
  return {{"model", model.name},
          {"program", model.program},
          {"spec", model.spec},
          {"spec_hash", model.spec_hash},
          {"version", model.version},
          {"instruction_set", instruction_set()},
          {"input", model.input},
          {"outputs", model.outputs},
          {"batch", model.batch},
          {"parameters", parameter_count(model)},
          {"trainable", trainable_count(model)},
          {"macs", total_macs(model)},
          {"layers", layers},
          {"phases", phases},
          {"memory_bytes", memory}};
}

void print_layers(const ModelDescription& model) {
  std::size_t path = 5, type = 4, output = 6;
  for (const LayerDescription& layer : model.layers) {
    path = std::max(path, layer.path.size());
    type = std::max(type, layer.type.size());
    output = std::max(output, layer.output.size());
  }
  fmt::print("  {:<{}}  {:<{}}  {:>{}}  {:>14}  {:>16}\n", "layer", path, "type", type, "output", output,
             "parameters", "MAC/image");
  for (const LayerDescription& layer : model.layers)
    fmt::print("  {:<{}}  {:<{}}  {:>{}}  {:>14}  {:>16}\n", layer.path, path, layer.type, type, layer.output,
               output, layer.parameters == 0 ? "-" : with_commas(layer.parameters),
               layer.macs == 0 ? "-" : with_commas(layer.macs));
}

void print_info(const ModelDescription& model, int threads) {
  fmt::print("{} from {} (spec {}, cnnc {})\n", model.name, model.spec, model.spec_hash, model.version);
  fmt::print("  input {}, {} outputs, planned for up to {} images at once\n", input_text(model),
             model.outputs, model.batch);
  fmt::print("  kernels for {}\n\n", instruction_set());
  print_layers(model);
  fmt::print("\n  {} parameters, {} MAC/image\n", with_commas(parameter_count(model)),
             with_commas(total_macs(model)));
  fmt::print("\nmemory on {} threads\n", threads);
  for (const auto& [name, bytes] : memory_regions(model, threads))
    fmt::print("  {:<20} {:>12}\n", name, bytes_text(static_cast<double>(bytes)));
  fmt::print("  {:<20} {:>12}\n", "total",
             bytes_text(static_cast<double>(arena_floats(model, threads) * sizeof(float))));
  if (model.training.phases.empty()) return;
  fmt::print("\nphases\n");
  for (const PhaseDescription& phase : model.training.phases)
    fmt::print("  {}: {} epochs, {} parameters learn, {}\n", phase.name, phase.epochs,
               with_commas(learning_count(model, phase)),
               phase.has_optimizer ? optimizer_text(phase.optimizer) : "optimizer carried over");
}

}  // namespace

int info(const InfoOptions& options, const ModelDescription& model) {
  if (options.json) {
    fmt::print("{}\n", info_json(model, options.threads).dump(2));
  } else {
    print_info(model, options.threads);
  }
  return 0;
}

}  // namespace cnn::program
