// Walks the statements of a body: values, conditions, sections, loops and taps. Layers are placed by
// layers.cpp.
#include "sema/expand.hpp"

#include <algorithm>
#include <utility>

#include "sema/arguments.hpp"
#include "sema/values/operators.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

bool is_identifier(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || digit(c); });
}

class Walk {
 public:
  Walk(Expansion& expansion, const Place& place, Flow& flow, Sequence& items)
      : expansion_(expansion),
        diagnostics_(expansion.diagnostics),
        place_(place),
        flow_(flow),
        items_(items) {}

  // ---------- statements ----------

  void statement(const syntax::LetStatement& let, Range, Scope& values) {
    auto value = evaluate(*let.value, environment(), diagnostics_);
    if (value && value->as<ir::Word>() != nullptr) value = known_word(*let.value, std::move(*value));
    if (const Binding* before = values.find_here(let.name.text)) {
      diagnostics_.report(let.name.range, messages::kNameTaken, let.name.text)
          .also(before->range, "it is bound here");
      return;
    }
    values.define(let.name.text, {std::move(value), let.name.range});
  }

  void statement(const syntax::RequireStatement& require, Range, Scope&) {
    const auto holds = evaluate_condition(*require.condition, "require", environment(), diagnostics_);
    if (!holds || *holds) return;
    const auto text = require.message ? fill_in(*require.message, environment(), diagnostics_) : std::nullopt;
    if (require.message && !text) return;
    diagnostics_.report(require.condition->range, messages::kRequirementNotMet, text ? *text : "the condition is false");
  }

  void statement(const syntax::InputStatement& input, Range range, Scope&) {
    if (&input == place_.around.own_input && !place_.around.input) {
      place_.around.input = flow_.shape;
      place_.around.input_range = range;
      if (input.name) record_input(input.name->text, range);
    } else if (place_.around.own_input != nullptr && place_.around.input && place_.top) {
      diagnostics_.report(range, messages::kSecondInput).also(place_.around.input_range, "the first one");
    } else {
      diagnostics_.report(range, messages::kInputNotFirst);
    }
  }

  void statement(const syntax::AuxStatement& aux, Range range, Scope&) {
    static const std::vector<ir::ArgumentDef> kArguments = {auxiliary_weight()};
    const auto arguments = check_arguments({"aux", aux.name.range, kArguments}, aux.arguments, expansion_.ops,
                                           environment(), diagnostics_);
    take(aux.name.text, aux.name.range);
    if (!expansion_.keeps_auxiliaries) return;
    const std::string path = place_.paths.join(aux.name.text);
    with_edits(path, aux.name.text, range, expansion_, place_, flow_, items_, [&] {
      Auxiliary head{path, arguments ? arguments->values.number("weight") : 0, {}, {}, range};
      PathScope paths(path, &place_.paths);
      Flow flow{flow_.shape, range, false};
      const bool outside = std::exchange(expansion_.in_auxiliary, true);
      body(aux.body, paths, flow, head.body);
      expansion_.in_auxiliary = outside;
      if (!flow.shape) return;
      head.output = *flow.shape;
      items_.push_back({std::move(head)});
    });
  }

  void statement(const syntax::IfStatement& choice, Range, Scope&) {
    const auto holds = evaluate_condition(*choice.condition, "if", environment(), diagnostics_);
    if (!holds) {
      flow_.shape.reset();
    } else if (*holds) {
      body(choice.then, place_.paths, flow_, items_);
    } else if (choice.otherwise) {
      body(*choice.otherwise, place_.paths, flow_, items_);
    }
  }

  void statement(const syntax::LayerStatement& layer, Range range, Scope&) {
    if (!layer.name) return unnamed(layer);
    const auto name = take_name(*layer.name);
    if (!name) {
      flow_ = {std::nullopt, range, true};
      expansion_.incomplete = true;
      return;
    }
    named(layer, range, *name);
  }

  void unnamed(const syntax::LayerStatement& layer) {
    for (const syntax::Step& step : layer.steps) this->step(step, "", nullptr);
  }

  // The statement under `name`, which is taken already.
  void named(const syntax::LayerStatement& layer, Range range, const std::string& name) {
    if (layer.steps.size() == 1 && is_leaf(layer.steps.front())) {
      step(layer.steps.front(), name, nullptr);
      return;
    }
    with_edits(place_.paths.join(name), name, range, expansion_, place_, flow_, items_,
               [&] { section(layer, name); });
  }

 private:
  Environment environment() const { return place_.environment(); }

  // `let act = relu` binds a word; `let n = clases` is a slip.
  std::optional<ir::Value> known_word(const syntax::Expression& expression, ir::Value value) {
    const ir::Word& word = *value.as<ir::Word>();
    const bool known = word.file >= 0 || word.text == "identity" || word.text == "same" || word.text == "same_tf" ||
                       expansion_.ops.find(word.text) != nullptr || place_.values.find(word.text) != nullptr;
    if (known) return value;
    report_unknown_name(word.text, expression.range, place_.values, diagnostics_);
    return std::nullopt;
  }

  static ir::ArgumentDef auxiliary_weight() {
    return {.name = "weight",
            .type = ir::ArgumentType::kNumber,
            .default_value = ir::Value{0.3},
            .summary = "What the head's loss counts in the sum of losses.",
            .positional = true,
            .minimum = 0,
            .maximum = 1e6};
  }

  // An input with a name can be tapped: it is a section that computes nothing.
  void record_input(const std::string& name, Range range) {
    take(name, range);
    const std::string path = place_.paths.join(name);
    expansion_.outputs[path] = flow_.shape;
    items_.push_back({Section{path, "", {}}});
  }

  // ---------- names ----------

  void take(const std::string& name, Range range) {
    const auto before = place_.paths.take(name, range);
    if (!before) return;
    auto report = diagnostics_.report(range, messages::kPathTaken, place_.paths.join(name));
    if (*before == range) {
      report.label("the loop around it takes this name once a round")
          .help("name the loop: stage = repeat 3 { ... }");
    } else {
      report.also(*before, "it is taken here");
    }
  }

  // The name as a path's component, taken in this scope; after a message about it, it is used all the same, so that no layer
  // takes a number that it would not have. None where it can't be known.
  std::optional<std::string> take_name(const syntax::LayerName& name) {
    const auto* plain = std::get_if<syntax::Name>(&name);
    const auto* words = std::get_if<syntax::Template>(&name);
    const auto text = plain != nullptr ? std::optional(plain->text) : fill_in(*words, environment(), diagnostics_);
    if (!text) return std::nullopt;
    const Range range = plain != nullptr ? plain->range : words->range;
    if (is_identifier(*text)) {
      take(*text, range);
    } else {
      diagnostics_.report(range, messages::kBadLayerName, *text).help("letters, digits and _ make a name");
    }
    return text;
  }

  static bool is_leaf(const syntax::Step& step) {
    return std::holds_alternative<syntax::CallStep>(step.form) ||
           std::holds_alternative<syntax::MergeStep>(step.form);
  }

  void section(const syntax::LayerStatement& layer, const std::string& name) {
    place_section(name, "", expansion_, place_, flow_, items_, [&](PathScope& inside, Sequence& items) {
      const bool loop =
          layer.steps.size() == 1 && (std::holds_alternative<syntax::RepeatStep>(layer.steps.front().form) ||
                                      std::holds_alternative<syntax::ForStep>(layer.steps.front().form));
      if (loop) {
        // The rounds are called stage[0], stage[1]: siblings of one another, in no further name.
        Walk(expansion_, place_, flow_, items).step(layer.steps.front(), "", &name);
        return;
      }
      Walk walk(expansion_, place_.with(place_.values, inside), flow_, items);
      for (const syntax::Step& one : layer.steps) walk.step(one, "", nullptr);
    });
  }

  // ---------- steps ----------

  // `name` of a leaf and `loop`, the path of a named loop, are those of the statement around.
  void step(const syntax::Step& step, const std::string& name, const std::string* loop) {
    if (expansion_.budget.exhausted) return;
    if (const auto* call = std::get_if<syntax::CallStep>(&step.form)) {
      place_call(*call, step.range, name, expansion_, place_, flow_, items_);
    } else if (const auto* merge = std::get_if<syntax::MergeStep>(&step.form)) {
      place_merge(*merge, step.range, name, expansion_, place_, flow_, items_);
    } else if (const auto* repeat = std::get_if<syntax::RepeatStep>(&step.form)) {
      repeat_step(*repeat, step.range, loop);
    } else if (const auto* loop_step = std::get_if<syntax::ForStep>(&step.form)) {
      for_step(*loop_step, step.range, loop);
    } else if (const auto* tap = std::get_if<syntax::TapStep>(&step.form)) {
      tap_step(*tap, step);
    } else if (const auto* sequence = std::get_if<syntax::SequenceStep>(&step.form)) {
      body(sequence->body, place_.paths, flow_, items_);
    } else {
      flow_.last = step.range;  // identity: wiring, not a layer
    }
  }

  void body(const syntax::Body& body, PathScope& paths, Flow& flow, Sequence& items) {
    const Scope values(&place_.values);
    expand_statements(body.statements, expansion_, place_.with(values, paths), flow, items);
  }

  struct Bound {
    std::string_view name;
    ir::Value value;
    Range range;
  };

  // One round; false where a mistake in it would only be repeated by the next. `loop`: the loop's name, where it has one.
  bool round(const syntax::Body& body, Range range, const std::string* loop, std::int64_t number,
             const std::vector<Bound>& bound) {
    const int errors = diagnostics_.errors();
    if (!expansion_.budget.take(range, diagnostics_)) return false;
    Scope values(&place_.values);
    for (const Bound& one : bound) values.define(one.name, {one.value, one.range});
    if (loop == nullptr) {
      expand_statements(body.statements, expansion_, place_.with(values), flow_, items_);
    } else {
      const std::string name = fmt::format("{}[{}]", *loop, number);
      with_edits(place_.paths.join(name), name, range, expansion_, place_, flow_, items_, [&] {
        place_section(name, "", expansion_, place_, flow_, items_, [&](PathScope& paths, Sequence& items) {
          expand_statements(body.statements, expansion_, place_.with(values, paths), flow_, items);
        });
      });
    }
    return diagnostics_.errors() == errors;
  }

  void repeat_step(const syntax::RepeatStep& repeat, Range range, const std::string* loop) {
    const auto count = evaluate(*repeat.count, environment(), diagnostics_);
    const auto* rounds = count ? count->as<std::int64_t>() : nullptr;
    if (rounds == nullptr || *rounds < 0) {
      if (count)
        diagnostics_.report(repeat.count->range, messages::kWrongLoop, "repeat", "a whole number",
                            describe(*count));
      flow_.shape.reset();
      return;
    }
    for (std::int64_t i = 0; i < *rounds && round(repeat.body, range, loop, i, {}); ++i) continue;
  }

  void for_step(const syntax::ForStep& step, Range range, const std::string* loop) {
    const auto sequence = evaluate(*step.sequence, environment(), diagnostics_);
    const auto* list = sequence ? sequence->as<ir::List>() : nullptr;
    if (list == nullptr) {
      if (sequence)
        diagnostics_.report(step.sequence->range, messages::kWrongLoop, "for", "a list", describe(*sequence));
      flow_.shape.reset();
      return;
    }
    const syntax::Name& element = step.second ? *step.second : step.first;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto number = static_cast<std::int64_t>(i);
      std::vector<Bound> bound;
      if (step.second) bound.push_back({step.first.text, ir::Value{number}, step.first.range});
      bound.push_back({element.text, (*list)[i], element.range});
      if (!round(step.body, range, loop, number, bound)) return;
    }
  }

  // ---------- taps ----------

  // "stem.conv1" or "stage[2]"; none after a message.
  std::optional<std::string> path_text(const syntax::Path& path) {
    std::string text;
    for (const syntax::PathComponent& component : path.components) {
      const bool plain = component.kind == syntax::PathComponent::Kind::kName && !component.prefix &&
                         !(component.slice && component.slice->is_slice);
      if (!plain) {
        diagnostics_.report(component.range, messages::kTapNeedsOne)
            .help("name one layer or section: from stem");
        return std::nullopt;
      }
      text += (text.empty() ? "" : ".") + component.name;
      if (!component.slice) continue;
      const auto index = evaluate(*component.slice->first, environment(), diagnostics_);
      if (!index) return std::nullopt;
      const auto* number = index->as<std::int64_t>();
      if (number == nullptr) {
        diagnostics_.report(component.range, messages::kWrongIndex, describe(*index));
        return std::nullopt;
      }
      text += fmt::format("[{}]", *number);
    }
    return text;
  }

  void tap_step(const syntax::TapStep& tap, const syntax::Step& step) {
    flow_ = {std::nullopt, step.range, true};
    if (expansion_.tap_allowed != &step) {
      diagnostics_.report(step.range, messages::kTapOutsideBranch)
          .help("write it first in a branch: | from name -> ...");
      return;
    }
    const auto name = path_text(tap.path);
    if (!name) return;
    for (const PathScope* scope = &place_.paths; scope != nullptr; scope = scope->outer()) {
      const auto found = expansion_.outputs.find(scope->join(*name));
      if (found == expansion_.outputs.end()) continue;
      flow_.shape = found->second;
      items_.push_back({Tap{found->first}});
      return;
    }
    if (expansion_.incomplete) return;  // it may stand in what was not expanded
    std::vector<std::string_view> known;
    for (const auto& [path, shape] : expansion_.outputs) known.push_back(path);
    auto report = diagnostics_.report(tap.path.range, messages::kUnknownTap, *name);
    if (const std::string_view near = nearest(*name, known); !near.empty())
      report.help(fmt::format("did you mean {}?", near));
    else
      report.help("a branch can start at a layer or section that was named before it");
  }

  Expansion& expansion_;
  Diagnostics& diagnostics_;
  Place place_;
  Flow& flow_;
  Sequence& items_;
};

}  // namespace

bool Budget::take(Range range, Diagnostics& diagnostics) {
  if (exhausted) return false;
  if (++size <= kMaxExpansion) return true;
  exhausted = true;
  diagnostics.report(range, messages::kExpansionTooLarge, kMaxExpansion);
  return false;
}

std::optional<std::string> fill_in(const syntax::Template& words, const Environment& environment,
                                   Diagnostics& diagnostics) {
  std::string text;
  for (const syntax::TemplatePart& part : words.parts) {
    if (!part.value) {
      text += part.text;
      continue;
    }
    const auto value = evaluate(*part.value, environment, diagnostics);
    if (!value) return std::nullopt;
    const auto* word = value->as<ir::Word>();
    if (word != nullptr && environment.scope.find(word->text) == nullptr) {
      report_unknown_name(word->text, part.value->range, environment.scope, diagnostics);
      return std::nullopt;
    }
    const auto* string = value->as<std::string>();
    text += string != nullptr ? *string : to_text(*value);
  }
  return text;
}

void expand_statements(const std::vector<syntax::Statement>& statements, Expansion& expansion,
                       const Place& place, Flow& flow, Sequence& items) {
  Scope values(&place.values);
  Place here = place.with(values);
  here.top = place.top;
  Walk walk(expansion, here, flow, items);
  for (const syntax::Statement& statement : statements) {
    if (expansion.budget.exhausted) return;
    std::visit([&](const auto& form) { walk.statement(form, statement.range, values); }, statement.form);
  }
}

bool bind_value(const syntax::Statement& statement, Expansion& expansion, const Place& place, Scope& values) {
  Flow flow;
  Sequence items;
  Walk walk(expansion, place.with(values), flow, items);
  if (const auto* let = std::get_if<syntax::LetStatement>(&statement.form)) {
    walk.statement(*let, statement.range, values);
  } else if (const auto* require = std::get_if<syntax::RequireStatement>(&statement.form)) {
    walk.statement(*require, statement.range, values);
  } else {
    return false;
  }
  return true;
}

void expand_named(const syntax::LayerStatement& layer, Range range, const std::string& name, Expansion& expansion,
                  const Place& place, Flow& flow, Sequence& items) {
  Walk walk(expansion, place, flow, items);
  if (name.empty()) walk.unnamed(layer);
  else walk.named(layer, range, name);
}

void expand_edit(const FoundEdit& edit, const syntax::Body& body, const std::string* section, Expansion& expansion,
                 const Place& place, Flow& flow, Sequence& items) {
  EditScope edits = *edit.scope;
  edits.depth = edit.depth;
  const auto expand = [&](PathScope& paths, Sequence& into) {
    const Place here{*edit.layer->file, *edit.layer->values, paths, place.around, &edits, false};
    expand_statements(body.statements, expansion, here, flow, into);
  };
  if (section == nullptr) return expand(place.paths, items);
  place_section(*section, "", expansion, place, flow, items, expand);
}

}  // namespace cnnc::sema
