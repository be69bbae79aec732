// Leaf calls and merges: which card is meant, whether arguments and inputs fit it, and the shape that comes
// out.
#include <algorithm>
#include <cctype>

#include "sema/arguments.hpp"
#include "sema/expand.hpp"
#include "sema/foreign_names.hpp"
#include "support/internal_error.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

const ir::OpDef* activation_of(const ir::OpDef& op, const ir::ArgumentValues& arguments,
                               const ir::OpRegistry& ops) {
  for (const ir::ArgumentDef& definition : op.arguments) {
    if (definition.type != ir::ArgumentType::kActivation) continue;
    const std::string& word = arguments.word(definition.name);
    return word == "identity" ? nullptr : ops.find(word);
  }
  return nullptr;
}

Diagnostics::Builder report_mistake(const ir::Mistake& found, Range range, Diagnostics& diagnostics) {
  const Message<std::string> message{found.id, Severity::kError, "{}"};
  auto report = diagnostics.report(range, message, found.text);
  if (!found.label.empty()) report.label(found.label);
  if (!found.help.empty()) report.help(found.help);
  return report;
}

bool fits(const ir::Inferred& inferred, std::string_view op, Range range, Diagnostics& diagnostics) {
  const auto numbers = [](const auto&... extents) { return (1.0 * ... * static_cast<double>(extents)); };
  double largest = numbers(inferred.output.channels, inferred.output.height, inferred.output.width);
  for (const ir::ParameterDef& parameter : inferred.parameters) {
    double size = 1;
    for (const std::int64_t extent : parameter.extents) size *= static_cast<double>(extent);
    largest = std::max(largest, size);
  }
  if (largest <= kMaxNumbers) return true;
  diagnostics.report(range, messages::kLayerTooLarge, op, largest, kMaxNumbers);
  return false;
}

bool has_weights(const ir::Inferred& inferred) {
  return std::ranges::any_of(inferred.parameters, [](const ir::ParameterDef& one) { return !one.statistic; });
}

// The written name, or the next number of its type.
std::string name_or_number(const ir::OpDef& op, const std::string& name, Range range, const Place& place) {
  if (!name.empty()) return name;
  if (place.edits == nullptr || place.edits->depth == 0) return place.paths.number(op.name, range);
  return place.paths.number_added(op.name, range, [&](const std::string& path) { return place.edits->reserved(path); });
}

// What is common to leaf calls and merges once their output is known, or known to be unknown.
void finish(const ir::Layer& layer, bool weighted, std::optional<ir::Shape> output, Expansion& expansion,
            Flow& flow) {
  expansion.layers.push_back({layer.path, layer.op, layer.activation, weighted, layer.range, expansion.in_auxiliary});
  expansion.calls.insert(layer.path);
  expansion.outputs[layer.path] = output;
  flow = {output, layer.range, true};
}

std::optional<ir::Inferred> infer_layer(const ir::Layer& layer, const CheckedArguments& arguments,
                                        const ir::Shape& input, Diagnostics& diagnostics) {
  const ir::Shape inputs[] = {input};
  const ir::Inference inference = layer.op->infer({.inputs = inputs, .arguments = arguments.values});
  if (const auto* found = std::get_if<ir::Mistake>(&inference)) {
    report_mistake(*found, arguments.range(found->argument).value_or(layer.range), diagnostics);
    return std::nullopt;
  }
  const auto& inferred = std::get<ir::Inferred>(inference);
  if (!fits(inferred, layer.op->name, layer.range, diagnostics)) return std::nullopt;
  return inferred;
}

struct Branch {
  Sequence items;
  Flow flow;
};

std::string_view verb(const Branch& branch) {
  return branch.flow.changed ? "gives" : "keeps";
}

// "this branch keeps 64 channels", or the whole shape where more than the channels differ.
std::string keeps(const Branch& branch, const ir::Shape& other) {
  const ir::Shape& shape = *branch.flow.shape;
  const bool channels_only =
      shape.height == other.height && shape.width == other.width && shape.flat == other.flat;
  return channels_only ? fmt::format("this branch {} {} channels", verb(branch), shape.channels)
                       : fmt::format("this branch {} {}", verb(branch), to_text(shape));
}

void report_disagreement(const ir::Mistake& found, const syntax::MergeStep& step,
                         const std::vector<Branch>& branches, Range range, Diagnostics& diagnostics) {
  if (found.input < 0 || found.input >= static_cast<int>(branches.size())) {
    report_mistake(found, range, diagnostics);
    return;
  }
  // A skip branch is where a repair goes, so it is what the caret shows.
  const Branch* odd = &branches[static_cast<std::size_t>(found.input)];
  const Branch* other = &branches.front();
  if (!other->flow.changed && odd->flow.changed) std::swap(odd, other);
  const ir::Shape& is = *odd->flow.shape;
  const ir::Shape& wanted = *other->flow.shape;
  auto report = report_mistake(found, odd->flow.last, diagnostics);
  if (found.label.empty()) report.label(keeps(*odd, wanted));
  report.also(other->flow.last, keeps(*other, is)).also(step.kind.range, "");
  if (odd->flow.changed || is.flat || wanted.flat || !found.help.empty()) return;
  if (is.height == wanted.height && is.width == wanted.width) {
    report.help(fmt::format("project it:  | conv({}, 1, bias=false) -> bn", wanted.channels));
  } else if (is.height == 2 * wanted.height && is.width == 2 * wanted.width) {
    report.help(fmt::format("project it:  | conv({}, 1, stride=2, bias=false) -> bn", wanted.channels));
  }
}

std::vector<Branch> expand_branches(const syntax::MergeStep& step, Expansion& expansion, const Place& place,
                                    const Flow& flow) {
  std::vector<Branch> branches;
  for (const syntax::Arm& arm : step.arms) {
    Branch branch{{}, {flow.shape, arm.range, false}};
    const auto* outer_tap = expansion.tap_allowed;
    expansion.tap_allowed = nullptr;
    if (!arm.statements.empty()) {
      branch.flow.last = arm.statements.front().range;
      const auto* first = std::get_if<syntax::LayerStatement>(&arm.statements.front().form);
      if (first != nullptr && !first->steps.empty()) expansion.tap_allowed = &first->steps.front();
    }
    const Scope values(&place.values);
    expand_statements(arm.statements, expansion, place.with(values), branch.flow, branch.items);
    expansion.tap_allowed = outer_tap;
    branches.push_back(std::move(branch));
  }
  return branches;
}

std::optional<ir::Shape> infer_merge(const ir::Layer& layer, const syntax::MergeStep& step,
                                     const std::vector<Branch>& branches, Diagnostics& diagnostics) {
  std::vector<ir::Shape> shapes;
  for (const Branch& branch : branches) {
    if (!branch.flow.shape) return std::nullopt;
    shapes.push_back(*branch.flow.shape);
  }
  const ir::Inference inference = layer.op->infer({.inputs = shapes, .arguments = layer.arguments});
  if (const auto* found = std::get_if<ir::Mistake>(&inference)) {
    report_disagreement(*found, step, branches, layer.range, diagnostics);
    return std::nullopt;
  }
  const auto& inferred = std::get<ir::Inferred>(inference);
  if (!fits(inferred, layer.op->name, step.kind.range, diagnostics)) return std::nullopt;
  return inferred.output;
}

}  // namespace

void report_unknown_layer(const std::string& name, Range range, const Expansion& expansion, const Place& place) {
  auto report = expansion.diagnostics.report(range, messages::kUnknownLayer, name);
  if (const std::string_view foreign = foreign_layer(name); !foreign.empty()) {
    report.help(std::string(foreign));
    return;
  }
  if (const std::string lower = lower_case(name); expansion.ops.find(lower) != nullptr) {
    report.help(fmt::format("layers are lower-case: {}", lower));
    return;
  }
  std::vector<std::string_view> known = place.values.visible();
  for (const ir::OpDef& op : expansion.ops.all()) known.push_back(op.name);
  if (const std::string_view near = nearest(name, known); !near.empty())
    report.help(fmt::format("did you mean {}?", near));
}

// What edits set at `path`.
std::vector<ArgumentOverride> overrides_at(const std::string& path, const Place& place) {
  std::vector<ArgumentOverride> overrides;
  if (place.edits == nullptr) return overrides;
  for (const FoundEdit& found : place.edits->at(path)) {
    const auto* set = std::get_if<syntax::SetEdit>(&found.edit->form);
    if (set == nullptr) continue;
    for (const syntax::Argument& argument : set->settings) {
      overrides.push_back({&argument, {*found.layer->values, place.environment().input}});
    }
  }
  return overrides;
}

void place_layer(const ir::OpDef& op, const syntax::CallPart& part, Range range, const std::string& name,
                 Expansion& expansion, const Place& place, Flow& flow, Sequence& items) {
  if (!expansion.budget.take(range, expansion.diagnostics)) return;
  const std::string own = name_or_number(op, name, range, place);
  ir::Layer layer{.path = place.paths.join(own), .op = &op, .activation = nullptr, .arguments = {}, .range = range};
  with_edits(layer.path, own, range, expansion, place, flow, items, [&] {
    const auto arguments = check_arguments({op.name, part.name.range, op.arguments}, part.arguments, expansion.ops,
                                           place.environment(), expansion.diagnostics, overrides_at(layer.path, place));
    if (!arguments || !flow.shape) {
      finish(layer, false, std::nullopt, expansion, flow);
      return;
    }
    layer.arguments = arguments->values;
    layer.activation = activation_of(op, layer.arguments, expansion.ops);
    const auto inferred = infer_layer(layer, *arguments, *flow.shape, expansion.diagnostics);
    finish(layer, inferred && has_weights(*inferred), inferred ? std::optional(inferred->output) : std::nullopt,
           expansion, flow);
    if (inferred) items.push_back({LayerCall{std::move(layer), inferred->output}});
  });
}

void place_merge(const syntax::MergeStep& step, Range range, const std::string& name, Expansion& expansion,
                 const Place& place, Flow& flow, Sequence& items) {
  if (!expansion.budget.take(range, expansion.diagnostics)) return;
  const ir::OpDef* op = expansion.ops.find(step.kind.text);
  ensure(op != nullptr && op->traits.merge, "sema", fmt::format("no card for the merge '{}'", step.kind.text));
  const std::string own = name_or_number(*op, name, range, place);
  ir::Layer layer{.path = place.paths.join(own), .op = op, .activation = nullptr, .arguments = {}, .range = range};
  with_edits(layer.path, own, range, expansion, place, flow, items, [&] {
    const auto arguments = check_arguments({op->name, step.kind.range, op->arguments}, step.arguments, expansion.ops,
                                           place.environment(), expansion.diagnostics, overrides_at(layer.path, place));
    // What stands in a named merge's branches is inside that name.
    PathScope inner(layer.path, &place.paths);
    const Place inside = name.empty() ? place.with(place.values) : place.with(place.values, inner);
    auto branches = expand_branches(step, expansion, inside, flow);
    if (branches.size() < 2) {
      expansion.diagnostics.report(step.kind.range, messages::kTooFewBranches, op->name)
          .help("a skip branch is written | identity");
    }
    if (!arguments || branches.size() < 2) {
      finish(layer, false, std::nullopt, expansion, flow);
      return;
    }
    layer.arguments = arguments->values;
    const auto output = infer_merge(layer, step, branches, expansion.diagnostics);
    finish(layer, false, output, expansion, flow);
    if (!output) return;
    Merge merge{std::move(layer), {}, *output};
    for (Branch& branch : branches) merge.arms.push_back(std::move(branch.items));
    items.push_back({std::move(merge)});
  });
}

}  // namespace cnnc::sema
