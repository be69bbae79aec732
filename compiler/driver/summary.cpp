// The summary as a table and as JSON.
#include "driver/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "emit/text.hpp"

namespace cnnc::driver {

namespace {

using emit::with_commas;
using plan::Plan;

std::string bytes(std::int64_t floats) {
  const double mebibytes = static_cast<double>(floats) * 4 / (1 << 20);
  return mebibytes < 10 ? fmt::format("{:.2f} MiB", mebibytes) : fmt::format("{:.1f} MiB", mebibytes);
}

std::int64_t trainable(const Plan& plan) {
  return plan.phases.empty() ? plan.parameter_count() : plan.trainable_count(0);
}

std::string type_of(const plan::LayerRow& row) {
  return row.activation.empty() ? row.type : row.type + " + " + row.activation;
}

const plan::Function* step_of(const Plan& plan, std::size_t phase) {
  for (const plan::Function& function : plan.functions) {
    if (function.kind == plan::FunctionKind::kStep && function.phase == static_cast<int>(phase)) return &function;
  }
  return nullptr;
}

}  // namespace

std::string summary_text(const Plan& plan, int threads) {
  std::size_t path_width = 5, type_width = 4;
  for (const plan::LayerRow& row : plan.layers) {
    path_width = std::max(path_width, row.path.size());
    type_width = std::max(type_width, type_of(row).size());
  }
  const auto number = [](std::int64_t value) { return value == 0 ? std::string("-") : with_commas(value); };
  std::string text = fmt::format("{}: {} -> {}\n\n", plan.model, to_text(plan.input), to_text(plan.output));
  text += fmt::format("  {:{}}  {:{}}  {:>12}  {:>12}  {:>14}\n", "layer", path_width, "type", type_width, "output", "parameters", "MAC/image");
  for (const plan::LayerRow& row : plan.layers) {
    text += fmt::format("  {:{}}  {:{}}  {:>12}  {:>12}  {:>14}\n", row.path, path_width, type_of(row), type_width, row.output,
                        number(row.parameters), number(row.macs));
  }
  std::int64_t statistics = 0;
  for (const plan::LayerRow& row : plan.layers) statistics += row.statistics;
  text += fmt::format("\n  parameters  {:>14}\n", with_commas(plan.parameter_count()));
  if (statistics > 0) text += fmt::format("  statistics  {:>14}\n", with_commas(statistics));
  text += fmt::format("  MAC/image   {:>14}\n", with_commas(plan.mac_count()));
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    const plan::Function* step = step_of(plan, i);
    text += fmt::format("\n  phase {}: {} parameters learn\n", plan.phases[i].phase.name, with_commas(plan.trainable_count(i)));
    if (step != nullptr) {
      text += fmt::format("    gradients {}, activations {} (no placement needs less than {})\n", bytes(plan.phases[i].gradient_floats),
                          bytes(step->arena_floats), bytes(step->bound_floats));
    }
  }
  const plan::Memory& memory = plan.memory;
  text += fmt::format("\n  memory for batches of {} on {} thread{}: {}\n    weights {}, gradients {}, optimizer {}, activations {}, scratch {}\n",
                      plan.batch, threads, threads == 1 ? "" : "s", bytes(memory.floats(threads)), bytes(memory.parameters),
                      bytes(memory.gradients), bytes(memory.optimizer), bytes(memory.activations),
                      bytes(memory.shared_scratch + threads * memory.thread_scratch));
  return text;
}

std::string summary_json(const Plan& plan, int threads) {
  nlohmann::ordered_json json;
  json["model"] = plan.model;
  json["input"] = to_text(plan.input);
  json["output"] = to_text(plan.output);
  json["parameters"] = plan.parameter_count();
  json["trainable"] = trainable(plan);
  json["macs"] = plan.mac_count();
  json["layers"] = nlohmann::ordered_json::array();
  for (const plan::LayerRow& row : plan.layers) {
    json["layers"].push_back({{"path", row.path}, {"type", row.type}, {"activation", row.activation}, {"output", row.output},
                              {"parameters", row.parameters}, {"statistics", row.statistics}, {"macs", row.macs}, {"line", row.line.place()}});
  }
  json["phases"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    const plan::Function* step = step_of(plan, i);
    json["phases"].push_back({{"name", plan.phases[i].phase.name}, {"trainable", plan.trainable_count(i)},
                              {"gradient_bytes", 4 * plan.phases[i].gradient_floats},
                              {"activation_bytes", step == nullptr ? 0 : 4 * step->arena_floats},
                              {"activation_bound_bytes", step == nullptr ? 0 : 4 * step->bound_floats}});
  }
  const plan::Memory& memory = plan.memory;
  json["memory"] = {{"batch", plan.batch}, {"threads", threads}, {"block", plan.block},
                    {"weights", 4 * memory.parameters}, {"gradients", 4 * memory.gradients},
                    {"optimizer", 4 * memory.optimizer}, {"activations", 4 * memory.activations},
                    {"scratch", 4 * (memory.shared_scratch + threads * memory.thread_scratch)},
                    {"total", 4 * memory.floats(threads)}};
  return json.dump(2) + "\n";
}

}  // namespace cnnc::driver
