// Reads a plan's phases for people.
#include "driver/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "emit/text.hpp"
#include "sema/render.hpp"

namespace cnnc::driver {

namespace {

using emit::with_commas;
using plan::Plan;

// The optimizer that a phase runs with: its own, or the one before that goes on.
const ir::Optimizer& optimizer_of(const Plan& plan, std::size_t phase) {
  while (phase > 0 && !plan.phases[phase].phase.optimizer) --phase;
  return *plan.phases[phase].phase.optimizer;
}

// What each part of the model, by the first component of its paths, learns of itself.
struct Share {
  int layers = 0, learning_layers = 0;
  std::int64_t parameters = 0, learning_parameters = 0;
};

std::string shares(const Plan& plan, const ir::Phase& phase) {
  std::vector<std::string> order;
  std::map<std::string, Share> parts;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const plan::LayerRow& row = plan.layers[i];
    if (row.parameters == 0) continue;
    const std::string part = row.path.substr(0, row.path.find_first_of(".["));
    if (!parts.contains(part)) order.push_back(part);
    Share& share = parts[part];
    const bool learns = !phase.frozen[i];
    share.layers += 1;
    share.parameters += row.parameters;
    share.learning_layers += learns ? 1 : 0;
    share.learning_parameters += learns ? row.parameters : 0;
  }
  std::string text;
  for (const std::string& part : order) {
    const Share& share = parts[part];
    text += fmt::format("    {}: {} of {} layers with weights learn, {} of {} parameters\n", part, share.learning_layers,
                        share.layers, with_commas(share.learning_parameters), with_commas(share.parameters));
  }
  return text;
}

std::string layer_line(const Plan& plan, const ir::Phase& phase, const ir::Optimizer& optimizer, std::size_t layer,
                       std::size_t width) {
  double rate = optimizer.learning_rate, decay = optimizer.weight_decay;
  for (const ir::ParameterGroup& group : phase.groups) {
    if (!group.layers[layer]) continue;
    rate = group.learning_rate.value_or(rate);
    decay = group.weight_decay.value_or(decay);
  }
  return fmt::format("    {:{}}  {:>12}  {:<8}  {}\n", plan.layers[layer].path, width,
                     with_commas(plan.layers[layer].parameters), rate, decay);
}

// The passes of each layer whose card had a choice, and why it is this one: a line for all that share a reason.
std::string kernels(const Plan& plan, const plan::Function& function) {
  struct Line {
    std::string path, passes, reason;
  };
  std::vector<Line> lines;
  std::map<std::pair<int, std::string>, std::size_t> known;
  for (std::size_t i = 0; i < function.steps.size(); ++i) {
    const plan::Step& step = function.steps[i];
    if (step.reason.empty()) continue;
    const auto [found, added] = known.try_emplace({step.layer->index, step.reason}, lines.size());
    if (added) lines.push_back({plan.layers[static_cast<std::size_t>(step.layer->index)].path, "", step.reason});
    std::string& passes = lines[found->second].passes;
    // A kernel for several layers records no choice.
    const bool backward = function.backward_begin >= 0 && static_cast<int>(i) >= function.backward_begin;
    const plan::Work forward = function.kind == plan::FunctionKind::kPredict ? plan::Work::kPredict : plan::Work::kForward;
    const plan::Work work = backward ? plan::Work::kBackwardInput : forward;
    passes += fmt::format("{}{}", passes.empty() ? "" : ", ", plan::to_text(step.choice ? step.choice->work : work));
  }
  std::size_t path_width = 0, pass_width = 0;
  for (const Line& line : lines) {
    path_width = std::max(path_width, line.path.size());
    pass_width = std::max(pass_width, line.passes.size());
  }
  std::string text;
  for (const Line& line : lines) {
    text += fmt::format("    {:{}}  {:{}}  {}\n", line.path, path_width, line.passes, pass_width, line.reason);
  }
  return text.empty() ? text : fmt::format("\n  kernels of {}\n{}", function.name, text);
}

// Whether a prediction has reasons of its own, beside those of training's forward passes: a tuning, or layers in one kernel that are
// apart where they learn.
bool has_own_reasons(const Plan& plan, const plan::Function& function) {
  std::set<std::string> told;
  for (const plan::Function& other : plan.functions) {
    if (other.kind != plan::FunctionKind::kStep) continue;
    for (const plan::Step& step : other.steps) told.insert(step.reason);
  }
  return std::ranges::any_of(function.steps, [&](const plan::Step& step) {
    return step.choice ? step.choice->tuned : !step.reason.empty() && !told.contains(step.reason);
  });
}

std::string explain_phase(const Compiled& compiled, std::size_t number, const std::vector<std::string>& paths) {
  const Plan& plan = compiled.plan;
  const ir::Phase& phase = plan.phases[number].phase;
  const ir::Optimizer& optimizer = optimizer_of(plan, number);
  std::string text = fmt::format("\nphase {}: {} epoch{}, {} of {} parameters learn\n", phase.name, phase.epochs,
                                 phase.epochs == 1 ? "" : "s", with_commas(plan.trainable_count(number)),
                                 with_commas(plan.parameter_count() + plan.auxiliary_count()));
  const std::string frozen = sema::covering_paths(phase.frozen, paths);
  text += fmt::format("  frozen: {}\n", frozen.empty() ? "nothing" : frozen);
  if (!phase.optimizer) text += "  the optimizer of the phase before goes on, with its state\n";
  text += shares(plan, phase);
  for (const plan::Function& function : plan.functions) {
    const bool here = function.kind == plan::FunctionKind::kStep && function.phase == static_cast<int>(number);
    if (here && !function.remark.empty()) text += fmt::format("  {}\n", function.remark);
  }
  std::size_t width = 5;
  for (const plan::LayerRow& row : plan.layers) width = std::max(width, row.path.size());
  text += fmt::format("\n    {:{}}  {:>12}  {:<8}  {}\n", "learns", width, "parameters", "lr", "weight decay");
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    if (plan.layers[i].parameters > 0 && !phase.frozen[i]) text += layer_line(plan, phase, optimizer, i, width);
  }
  for (const plan::Function& function : plan.functions) {
    if (function.kind == plan::FunctionKind::kStep && function.phase == static_cast<int>(number)) text += kernels(plan, function);
  }
  return text;
}

}  // namespace

std::string explain_text(const Compiled& compiled) {
  const Plan& plan = compiled.plan;
  if (!plan.training) {
    std::string text = fmt::format("{}: nothing trains it\n", plan.model);
    for (const plan::Function& function : plan.functions) text += kernels(plan, function);
    return text;
  }
  std::string text = fmt::format("{} on {}: {} parameters\n", plan.model, plan.training->data_name, with_commas(plan.parameter_count()));
  const auto paths = sema::layer_paths(compiled.program.model);
  for (std::size_t i = 0; i < plan.phases.size(); ++i) text += explain_phase(compiled, i, paths);
  // The cost model chooses for predictions as for training; a tuning need not, and layers that don't learn can be one kernel.
  for (const plan::Function& function : plan.functions) {
    if (function.kind == plan::FunctionKind::kPredict && has_own_reasons(plan, function)) text += kernels(plan, function);
  }
  return text;
}

}  // namespace cnnc::driver
