// The summary as a table, as Keras prints it, and as JSON.
#include "driver/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
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

std::int64_t trainable_with_heads(const Plan& plan) {
  return plan.phases.empty() ? plan.parameter_count() + plan.auxiliary_count() : plan.trainable_count(0);
}

// Parameters that don't learn in the first phase, statistics among them, as Keras counts.
std::int64_t non_trainable(const Plan& plan) {
  return plan.parameter_count() + plan.auxiliary_count() + plan.statistic_count() -
         trainable_with_heads(plan);
}

// A line of the table: a layer, or all layers below one name.
struct Row {
  std::string path, type, output;
  std::int64_t parameters = 0, statistics = 0, macs = 0;
  int layers = 1;
  bool auxiliary = false;
};

Row row_of(const plan::LayerRow& layer) {
  return {.path = layer.path,
          .type = layer.activation.empty() ? layer.type : layer.type + " + " + layer.activation,
          .output = layer.output,
          .parameters = layer.parameters,
          .statistics = layer.statistics,
          .macs = layer.macs,
          .auxiliary = layer.auxiliary};
}

// The first `depth` names of a path; a round of a loop is a name: layer1[0] has two.
std::string folded(const std::string& path, int depth) {
  for (std::size_t i = 1; i < path.size(); ++i) {
    if ((path[i] == '.' || path[i] == '[') && --depth == 0) return path.substr(0, i);
  }
  return path;
}

// Layers below one name are one row, which stands where the first of them does; those of auxiliary heads are
// apart.
std::vector<Row> rows_of(const Plan& plan, int depth) {
  std::vector<Row> rows;
  std::map<std::pair<std::string, bool>, std::size_t> places;
  for (const plan::LayerRow& layer : plan.layers) {
    Row row = row_of(layer);
    const std::string name = depth > 0 ? folded(layer.path, depth) : layer.path;
    const auto [place, first] = places.try_emplace({name, layer.auxiliary}, rows.size());
    if (first) {
      row.path = name;
      rows.push_back(std::move(row));
      continue;
    }
    Row& whole = rows[place->second];
    whole.output = row.output;
    whole.parameters += row.parameters;
    whole.statistics += row.statistics;
    whole.macs += row.macs;
    ++whole.layers;
    whole.type = fmt::format("{} layers{}", whole.layers, layer.auxiliary ? ", auxiliary" : "");
  }
  return rows;
}

std::string number(std::int64_t value) {
  return value == 0 ? "-" : with_commas(value);
}

const plan::Function* step_of(const Plan& plan, std::size_t phase) {
  for (const plan::Function& function : plan.functions) {
    if (function.kind == plan::FunctionKind::kStep && function.phase == static_cast<int>(phase))
      return &function;
  }
  return nullptr;
}

std::string totals(const Plan& plan) {
  std::string text = fmt::format("  parameters  {:>14}\n", with_commas(plan.parameter_count()));
  if (plan.statistic_count() > 0)
    text += fmt::format("  statistics  {:>14}\n", with_commas(plan.statistic_count()));
  if (plan.auxiliary_count() > 0)
    text += fmt::format("  auxiliary   {:>14}\n", with_commas(plan.auxiliary_count()));
  return text + fmt::format("  MAC/image   {:>14}\n", with_commas(plan.mac_count()));
}

std::string phases(const Plan& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    const plan::Function* step = step_of(plan, i);
    text += fmt::format("\n  phase {}: {} parameters learn\n", plan.phases[i].phase.name,
                        with_commas(plan.trainable_count(i)));
    if (step == nullptr) continue;
    text += fmt::format("    gradients {}, activations{} {} (no placement needs less than {})\n",
                        bytes(plan.phases[i].gradient_floats), plan.part > 0 ? " of a thread" : "", bytes(step->arena_floats),
                        bytes(step->bound_floats));
  }
  return text;
}

std::string memory(const Plan& plan, int threads) {
  const plan::Memory& memory = plan.memory;
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    if (const plan::Function* step = step_of(plan, i)) steps = std::max(steps, step->arena_floats);
  }
  const std::string whose = steps > 0 && memory.activations > steps ? " (of predictions, whose prepared weights lie there)" : "";
  return fmt::format(
      "\n  memory for batches of {} on {} thread{}: {}\n"
      "    weights {}, gradients {}, optimizer {}, activations {}{}, scratch {}\n",
      plan.batch, threads, threads == 1 ? "" : "s", bytes(memory.floats(threads)), bytes(memory.parameters),
      bytes(memory.gradients), bytes(memory.optimizer), bytes(memory.all_activations(threads)), whose,
      bytes(memory.all_scratch(threads)));
}

}  // namespace

std::string summary_text(const Plan& plan, const SummaryOptions& options) {
  const std::vector<Row> rows = rows_of(plan, options.depth);
  std::size_t path_width = 5, type_width = 4;
  for (const Row& row : rows) {
    path_width = std::max(path_width, row.path.size());
    type_width = std::max(type_width, row.type.size());
  }
  std::string text = fmt::format("{}: {} -> {}\n\n", plan.model, to_text(plan.input), to_text(plan.output));
  const auto add_line = [&](std::string_view path, std::string_view type, std::string_view output,
                            std::string_view parameters, std::string_view macs) {
    text += fmt::format("  {:{}}  {:{}}  {:>12}  {:>12}  {:>14}\n", path, path_width, type, type_width,
                        output, parameters, macs);
  };
  add_line("layer", "type", "output", "parameters", "MAC/image");
  for (const Row& row : rows)
    add_line(row.path, row.type, row.output, number(row.parameters), number(row.macs));
  return text + "\n" + totals(plan) + phases(plan) + memory(plan, options.threads);
}

std::string keras_summary(const Plan& plan, const SummaryOptions& options) {
  const std::vector<Row> rows = rows_of(plan, options.depth);
  const auto title = [](const Row& row) { return fmt::format("{} ({})", row.path, row.type); };
  std::size_t title_width = 12;
  for (const Row& row : rows) title_width = std::max(title_width, title(row).size());
  std::string text = fmt::format("Model: \"{}\", input {}\n\n", plan.model, to_text(plan.input));
  const auto add_line = [&](std::string_view layer, std::string_view output, std::string_view parameters) {
    text += fmt::format("{:{}}  {:>12}  {:>12}\n", layer, title_width, output, parameters);
  };
  add_line("Layer (type)", "Output shape", "Param #");
  for (const Row& row : rows) add_line(title(row), row.output, with_commas(row.parameters + row.statistics));
  const std::int64_t learns = trainable_with_heads(plan), rests = non_trainable(plan);
  const auto add_total = [&](std::string_view name, std::int64_t count) {
    text += fmt::format("{} params: {} ({})\n", name, with_commas(count), bytes(count));
  };
  text += "\n";
  add_total("Total", learns + rests);
  add_total("Trainable", learns);
  add_total("Non-trainable", rests);
  return text;
}

std::string summary_json(const Plan& plan, const SummaryOptions& options) {
  const int threads = options.threads;
  nlohmann::ordered_json json;
  json["model"] = plan.model;
  json["input"] = to_text(plan.input);
  json["output"] = to_text(plan.output);
  json["parameters"] = plan.parameter_count();
  json["auxiliary"] = plan.auxiliary_count();
  json["statistics"] = plan.statistic_count();
  json["trainable"] = trainable(plan);
  json["keras"] = {{"total", trainable_with_heads(plan) + non_trainable(plan)},
                   {"trainable", trainable_with_heads(plan)},
                   {"non_trainable", non_trainable(plan)}};
  json["depth"] = plan.depth;
  json["macs"] = plan.mac_count();
  json["layers"] = nlohmann::ordered_json::array();
  for (const plan::LayerRow& row : plan.layers) {
    json["layers"].push_back({{"path", row.path},
                              {"type", row.type},
                              {"activation", row.activation},
                              {"output", row.output},
                              {"parameters", row.parameters},
                              {"statistics", row.statistics},
                              {"macs", row.macs},
                              {"line", row.line.place()}});
  }
  json["phases"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    const plan::Function* step = step_of(plan, i);
    json["phases"].push_back({{"name", plan.phases[i].phase.name},
                              {"trainable", plan.trainable_count(i)},
                              {"gradient_bytes", 4 * plan.phases[i].gradient_floats},
                              {"activation_bytes", step == nullptr ? 0 : 4 * step->arena_floats},
                              {"activation_bound_bytes", step == nullptr ? 0 : 4 * step->bound_floats}});
  }
  const plan::Memory& memory = plan.memory;
  json["memory"] = {{"batch", plan.batch},
                    {"threads", threads},
                    {"block", plan.block},
                    {"weights", 4 * memory.parameters},
                    {"gradients", 4 * memory.gradients},
                    {"optimizer", 4 * memory.optimizer},
                    {"activations", 4 * memory.all_activations(threads)},
                    {"scratch", 4 * memory.all_scratch(threads)},
                    {"total", 4 * memory.floats(threads)}};
  return json.dump(2) + "\n";
}

}  // namespace cnnc::driver
