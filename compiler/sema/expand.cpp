// Walks the statements of a body: values, conditions, sections, loops and taps. Layers are placed by
// layers.cpp.
#include "sema/expand.hpp"

#include <algorithm>

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
    auto report = diagnostics_.report(require.condition->range, messages::kRequirementNotMet,
                                      require.message ? require.message->text : "the condition is false");
    if (require.message && require.message->text.find('{') != std::string::npos) {
      report.note("this version of cnnc does not fill in {...}", require.message->range);
    }
  }

  void statement(const syntax::InputStatement& input, Range range, Scope&) {
    if (&input == expansion_.first_input) {
      expansion_.input_range = range;
    } else if (expansion_.input_range && place_.top) {
      diagnostics_.report(range, messages::kSecondInput).also(*expansion_.input_range, "the first one");
    } else {
      diagnostics_.report(range, messages::kInputNotFirst);
    }
  }

  void statement(const syntax::AuxStatement& aux, Range, Scope&) {
    diagnostics_.report(aux.name.range, messages::kNotYetSupported, "an auxiliary head ('aux')");
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

  void statement(const syntax::LayerStatement& layer, Range, Scope&) {
    if (!layer.name) {
      for (const syntax::Step& step : layer.steps) this->step(step, "", nullptr);
      return;
    }
    const std::string name = take_name(*layer.name);
    const bool leaf = layer.steps.size() == 1 && is_leaf(layer.steps.front());
    if (leaf) {
      step(layer.steps.front(), name, nullptr);
      return;
    }
    section(layer, name);
  }

 private:
  Environment environment() const { return {place_.values, expansion_.input()}; }

  // `let act = relu` binds a word; `let n = clases` is a slip.
  std::optional<ir::Value> known_word(const syntax::Expression& expression, ir::Value value) {
    const std::string& word = value.as<ir::Word>()->text;
    if (word == "identity" || word == "same" || expansion_.ops.find(word) != nullptr) return value;
    if (expansion_.unsupported_names.contains(word) || place_.values.find(word) != nullptr) return value;
    report_unknown_name(word, expression.range, place_.values, diagnostics_);
    return std::nullopt;
  }

  // ---------- names ----------

  // The name as a path's component, taken in this scope; after a message it is used all the same, so that no
  // layer takes a number that it would not have.
  std::string take_name(const syntax::LayerName& name) {
    if (name.text.find('{') != std::string::npos) {
      diagnostics_.report(name.range, messages::kNotYetSupported, "a name with {...} in it");
      return name.text;
    }
    if (!is_identifier(name.text)) {
      diagnostics_.report(name.range, messages::kBadLayerName, name.text)
          .help("letters, digits and _ make a name");
      return name.text;
    }
    const auto before = place_.paths.take(name.text, name.range);
    if (!before) return name.text;
    auto report = diagnostics_.report(name.range, messages::kPathTaken, place_.paths.join(name.text));
    if (*before == name.range) {
      report.label("the loop around it takes this name once a round")
          .help("name the loop: stage = repeat 3 { ... }");
    } else {
      report.also(*before, "it is taken here");
    }
    return name.text;
  }

  static bool is_leaf(const syntax::Step& step) {
    return std::holds_alternative<syntax::CallStep>(step.form) ||
           std::holds_alternative<syntax::MergeStep>(step.form);
  }

  void section(const syntax::LayerStatement& layer, const std::string& name) {
    const std::string path = place_.paths.join(name);
    PathScope inside(path, &place_.paths);
    const bool loop =
        layer.steps.size() == 1 && (std::holds_alternative<syntax::RepeatStep>(layer.steps.front().form) ||
                                    std::holds_alternative<syntax::ForStep>(layer.steps.front().form));
    if (loop) {
      step(layer.steps.front(), "", &path);
    } else {
      Walk walk(expansion_, {place_.values, inside, false}, flow_, items_);
      for (const syntax::Step& one : layer.steps) walk.step(one, "", nullptr);
    }
    end_section(path);
  }

  void end_section(const std::string& path) {
    expansion_.outputs[path] = flow_.shape;
    items_.push_back({SectionEnd{path}});
  }

  // ---------- steps ----------

  // `name` of a leaf and `loop`, the path of a named loop, are those of the statement around.
  void step(const syntax::Step& step, const std::string& name, const std::string* loop) {
    if (expansion_.too_large) return;
    if (const auto* call = std::get_if<syntax::CallStep>(&step.form)) {
      call_step(*call, step.range, name);
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

  // A value may stand for a layer: `act` in a body where act=relu.
  void call_step(const syntax::CallStep& call, Range range, const std::string& name) {
    const syntax::CallPart& part = call.call.parts.front();
    if (const Binding* binding = place_.values.find(part.name.text);
        binding && binding->value && call.call.parts.size() == 1) {
      const auto* word = binding->value->as<ir::Word>();
      if (word != nullptr && word->text == "identity") {
        flow_.last = range;
        return;
      }
    }
    place_layer(call, range, name, expansion_, place_, flow_, items_);
  }

  void body(const syntax::Body& body, PathScope& paths, Flow& flow, Sequence& items) {
    const Scope values(&place_.values);
    expand_statements(body.statements, expansion_, {values, paths, false}, flow, items);
  }

  struct Bound {
    std::string_view name;
    ir::Value value;
    Range range;
  };

  // One round; false where a mistake in it would only be repeated by the next.
  bool round(const syntax::Body& body, Range range, const std::string* loop, std::int64_t number,
             const std::vector<Bound>& bound) {
    const int errors = diagnostics_.errors();
    if (!expansion_.grow(range)) return false;
    Scope values(&place_.values);
    for (const Bound& one : bound) values.define(one.name, {one.value, one.range});
    if (loop == nullptr) {
      expand_statements(body.statements, expansion_, {values, place_.paths, false}, flow_, items_);
    } else {
      PathScope paths(fmt::format("{}[{}]", *loop, number), &place_.paths);
      expand_statements(body.statements, expansion_, {values, paths, false}, flow_, items_);
      end_section(paths.path());
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

bool Expansion::grow(Range range) {
  if (too_large) return false;
  if (++size <= kMaxExpansion) return true;
  too_large = true;
  diagnostics.report(range, messages::kExpansionTooLarge, kMaxExpansion);
  return false;
}

void expand_statements(const std::vector<syntax::Statement>& statements, Expansion& expansion,
                       const Place& place, Flow& flow, Sequence& items) {
  Scope values(&place.values);
  Walk walk(expansion, {values, place.paths, place.top}, flow, items);
  for (const syntax::Statement& statement : statements) {
    if (expansion.too_large) return;
    std::visit([&](const auto& form) { walk.statement(form, statement.range, values); }, statement.form);
  }
}

}  // namespace cnnc::sema
