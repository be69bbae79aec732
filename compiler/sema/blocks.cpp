// Calls: whether a name means a layer's card, a block or a model; and the expansion of blocks.
#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/foreign_names.hpp"
#include "sema/models.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

// What a call's first name means. None of them: a message was given, or the mistake was reported before.
struct Callable {
  const ir::OpDef* op = nullptr;
  const Declaration* declared = nullptr;
  bool identity = false;
};

Callable callable_of_word(const ir::Word& word, const syntax::Name& written, const Expansion& expansion, const Place& place) {
  if (word.text == "identity") return {.identity = true};
  if (word.file >= 0) {
    const FileScope& home = expansion.files.at(static_cast<std::size_t>(word.file));
    return {.declared = &home.declarations.find(word.text)->second};
  }
  const ir::OpDef* op = expansion.ops.find(word.text);
  if (op == nullptr) report_unknown_layer(word.text, written.range, expansion, place);
  return {.op = op};
}

Callable callable(const syntax::Call& call, const Expansion& expansion, const Place& place) {
  const syntax::Name& name = call.parts.front().name;
  if (const Binding* binding = place.values.find(name.text)) {
    if (!binding->value) return {};
    if (const auto* word = binding->value->as<ir::Word>()) return callable_of_word(*word, name, expansion, place);
    expansion.diagnostics.report(name.range, messages::kNotALayer, name.text, describe(*binding->value))
        .also(binding->range, "it gets its value here");
    return {};
  }
  if (place.file.broken.contains(name.text)) return {};
  const auto found = place.file.declarations.find(name.text);
  if (found != place.file.declarations.end()) {
    expansion.diagnostics.report(name.range, messages::kNotALayer, name.text, kind_of(found->second))
        .also(found->second.name, "it is declared here");
    return {};
  }
  if (is_foreign_module(name.text) && call.parts.size() > 1) {
    report_unknown_layer(call.parts.back().name.text, call.range, expansion, place);
    return {};
  }
  const ir::OpDef* op = expansion.ops.find(name.text);
  if (op == nullptr) report_unknown_layer(name.text, name.range, expansion, place);
  return {.op = op};
}

void place_block(const Declaration& declared, const syntax::CallPart& part, Range range, const std::string& name,
                 Expansion& expansion, const Place& place, Flow& flow, Sequence& items) {
  const auto& block = *declared.as<syntax::BlockItem>();
  const auto original = [&] {
    std::vector<ParameterFacts> parameters;
    for (const syntax::Parameter& one : block.parameters) {
      parameters.push_back({one.name.text, one.default_value == nullptr, one.name.range});
    }
    const auto overrides =
        name.empty() ? std::vector<ArgumentOverride>() : overrides_at(place.paths.join(name), place);
    const auto given = give_arguments({block.name.text, part.name.range}, parameters, part.arguments,
                                      place.environment(), expansion.diagnostics, overrides);
    if (!given || !flow.shape) return fail_call(name, range, expansion, place, flow);
    Scope values(&declared.home->values);
    bind_parameters(block.parameters, *given, values, expansion.diagnostics);
    if (!enter(declared, block.name.text, range, expansion)) return fail_call(name, range, expansion, place, flow);

    const std::string called = block.name.text + bound_text(block.parameters, values);
    const std::string path = name.empty() ? place.paths.path() : place.paths.join(name);
    const Diagnostics::Context context(
        expansion.diagnostics, {fmt::format("in {}{}{}", path, path.empty() ? "" : " = ", called), true, range});
    Enclosing around{flow.shape, nullptr};
    const auto body = [&](PathScope& paths, Sequence& into) {
      const Place inside{*declared.home, values, paths, around, place.edits, false};
      expand_statements(block.body.statements, expansion, inside, flow, into);
    };
    if (name.empty()) {
      Section inline_block{"", called, {}};
      body(place.paths, inline_block.body);
      items.push_back({std::move(inline_block)});
    } else {
      expansion.calls.insert(path);
      place_section(name, called, expansion, place, flow, items, body);
    }
    expansion.open.pop_back();
    if (!flow.shape) expansion.incomplete = true;
  };
  if (name.empty()) return original();
  with_edits(place.paths.join(name), name, range, expansion, place, flow, items, original);
}

}  // namespace

void fail_call(const std::string& name, Range range, Expansion& expansion, const Place& place, Flow& flow) {
  if (!name.empty()) expansion.outputs[place.paths.join(name)] = std::nullopt;
  expansion.incomplete = true;
  flow = {std::nullopt, range, true};
}

bool enter(const Declaration& declared, const std::string& name, Range range, Expansion& expansion) {
  if (!expansion.budget.take(range, expansion.diagnostics)) return false;
  const void* item = std::visit([](const auto* one) -> const void* { return one; }, declared.item);
  if (std::ranges::find(expansion.open, item) != expansion.open.end()) {
    expansion.diagnostics.report(range, messages::kRecursion, name)
        .help("a block can't contain itself: use repeat or for");
    return false;
  }
  if (expansion.open.size() >= kMaxBlockDepth) {
    expansion.diagnostics.report(range, messages::kBlocksTooDeep, kMaxBlockDepth);
    return false;
  }
  expansion.open.push_back(item);
  return true;
}

void place_call(const syntax::CallStep& step, Range range, const std::string& name, Expansion& expansion,
                const Place& place, Flow& flow, Sequence& items) {
  const syntax::Call& call = step.call;
  const syntax::CallPart& part = call.parts.front();
  const Callable meant = callable(call, expansion, place);
  if (meant.identity) {
    flow.last = range;
    if (!name.empty()) place_section(name, "", expansion, place, flow, items, [](PathScope&, Sequence&) {});
    return;
  }
  const bool is_model = meant.declared != nullptr && meant.declared->as<syntax::ModelItem>() != nullptr;
  if (call.parts.size() > 1 && !is_model && (meant.op != nullptr || meant.declared != nullptr)) {
    expansion.diagnostics.report(call.range, messages::kNoSections, part.name.text)
        .help("only a model has parts that can be used elsewhere: VGG16.features");
    return fail_call(name, range, expansion, place, flow);
  }
  if (is_model) return place_model(*meant.declared, call, range, name, expansion, place, flow, items);
  if (meant.declared != nullptr) {
    return place_block(*meant.declared, part, range, name, expansion, place, flow, items);
  }
  if (meant.op != nullptr && meant.op->traits.merge) {
    expansion.diagnostics.report(part.name.range, messages::kMergeWithoutBranches, meant.op->name)
        .help(fmt::format("write {} {{ | branch | identity }}", meant.op->name));
    return fail_call(name, range, expansion, place, flow);
  }
  if (meant.op == nullptr) return fail_call(name, range, expansion, place, flow);
  place_layer(*meant.op, part, range, name, expansion, place, flow, items);
}

}  // namespace cnnc::sema
