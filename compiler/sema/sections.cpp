// Models as layers: a whole one, or a section of it, `backbone = DenseNet121.features`.
#include <algorithm>
#include <span>

#include "sema/models.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

using Parts = std::span<const syntax::CallPart>;

// Looks for a section by walking the statements that lead to it, which bind the values that it may use.
class SectionSearch {
 public:
  SectionSearch(const std::string& name, Range range, Expansion& expansion, Flow& flow, Sequence& items)
      : name_(name), range_(range), expansion_(expansion), flow_(flow), items_(items) {}

  // Expands the section; false where there is none of that name.
  bool find(const std::vector<syntax::Statement>& statements, Parts parts, const Place& place) {
    Scope values(&place.values);
    for (const syntax::Statement& statement : statements) {
      if (bind_value(statement, expansion_, place, values)) continue;
      if (const auto* choice = std::get_if<syntax::IfStatement>(&statement.form)) {
        const auto holds = evaluate_condition(*choice->condition, "if", place.with(values).environment(),
                                              expansion_.diagnostics);
        if (!holds) return true;  // reported
        const syntax::Body* body = *holds ? &choice->then : choice->otherwise ? &*choice->otherwise : nullptr;
        if (body != nullptr && find(body->statements, parts, place.with(values))) return true;
      }
      const auto* layer = std::get_if<syntax::LayerStatement>(&statement.form);
      if (layer != nullptr && layer->name && expand_if_meant(*layer, statement.range, parts, place.with(values))) return true;
    }
    return false;
  }

  const std::vector<std::string>& seen() const { return seen_; }

 private:
  bool expand_if_meant(const syntax::LayerStatement& layer, Range range, Parts parts, const Place& place) {
    const auto* plain = std::get_if<syntax::Name>(&*layer.name);
    const auto text = plain != nullptr ? std::optional(plain->text)
                                       : fill_in(std::get<syntax::Template>(*layer.name), place.environment(),
                                                 expansion_.diagnostics);
    if (!text) return false;
    seen_.push_back(*text);
    if (*text != parts.front().name.text) return false;
    if (parts.size() == 1) {
      expand_named(layer, range, name_, expansion_, place, flow_, items_);
      return true;
    }
    const auto* body = layer.steps.size() == 1 ? std::get_if<syntax::SequenceStep>(&layer.steps.front().form) : nullptr;
    return body != nullptr && find(body->body.statements, parts.subspan(1), place);
  }

  const std::string& name_;
  Range range_;
  Expansion& expansion_;
  Flow& flow_;
  Sequence& items_;
  std::vector<std::string> seen_;
};

const syntax::InputStatement* input_of(const syntax::Body& body) {
  for (const syntax::Statement& statement : body.statements) {
    if (const auto* input = std::get_if<syntax::InputStatement>(&statement.form)) return input;
  }
  return nullptr;
}

std::string section_path(Parts parts) {
  std::string path;
  for (const syntax::CallPart& part : parts) path += (path.empty() ? "" : ".") + part.name.text;
  return path;
}

// False, after a message, where a section is written with arguments.
bool without_arguments(Parts parts, Diagnostics& diagnostics) {
  for (const syntax::CallPart& part : parts) {
    if (!part.arguments) continue;
    diagnostics.report(part.arguments->range, messages::kSectionArguments, part.name.text)
        .help("arguments go to the model: VGG(stages).features");
    return false;
  }
  return true;
}

class ModelPlacement {
 public:
  ModelPlacement(const syntax::Call& call, Range range, const std::string& name, Expansion& expansion, const Place& place,
                 Flow& flow)
      : call_(call), sections_(Parts(call.parts).subspan(1)), range_(range), name_(name), expansion_(expansion),
        place_(place), flow_(flow), part_(section_path(sections_)) {}

  void expand(const Instance& instance, Sequence& items) {
    const bool keeps = std::exchange(expansion_.keeps_auxiliaries, false);
    if (sections_.empty()) whole(instance, items);
    else section(instance, items);
    expansion_.keeps_auxiliaries = keeps;
  }

 private:
  EditScope edits(const Instance& instance) const {
    return {&instance.edits, name_.empty() ? "" : place_.paths.join(name_), part_, place_.edits};
  }

  Place inside(const Instance& instance, const EditScope& edits, PathScope& paths, Enclosing& around) const {
    return {*instance.home, *instance.values, paths, around, instance.edits.empty() ? place_.edits : &edits, false};
  }

  void whole(const Instance& instance, Sequence& items) {
    Enclosing around{{}, input_of(*instance.body)};
    const EditScope scope = edits(instance);
    const auto body = [&](PathScope& paths, Sequence& into) {
      expand_statements(instance.body->statements, expansion_, inside(instance, scope, paths, around), flow_, into);
    };
    const std::string called(place_.file.sources.text(call_.range));
    if (!name_.empty()) return place_section(name_, called, expansion_, place_, flow_, items, body);
    Section unnamed{"", called, {}};
    body(place_.paths, unnamed.body);
    items.push_back({std::move(unnamed)});
  }

  void section(const Instance& instance, Sequence& items) {
    Enclosing around{flow_.shape, nullptr};
    const EditScope scope = edits(instance);
    SectionSearch search(name_, range_, expansion_, flow_, items);
    const std::size_t before = items.size();
    if (!search.find(instance.body->statements, sections_, inside(instance, scope, place_.paths, around))) {
      auto report = expansion_.diagnostics.report(sections_.back().name.range, messages::kNoSuchSection, instance.name,
                                                  part_);
      std::vector<std::string_view> known(search.seen().begin(), search.seen().end());
      if (const auto near = nearest(sections_.back().name.text, known); !near.empty())
        report.help(fmt::format("did you mean {}?", near));
      else if (!known.empty())
        report.help(fmt::format("its parts with a name: {}", enumerate(known)));
      return fail_call(name_, range_, expansion_, place_, flow_);
    }
    // The part that carries the name says where its weights come from.
    if (items.size() <= before) return;
    if (auto* placed = std::get_if<Section>(&items.back().form)) {
      placed->called = std::string(place_.file.sources.text(call_.range));
      placed->source = fmt::format("{}.{}", call_.parts.front().name.text, part_);
    }
  }

  const syntax::Call& call_;
  Parts sections_;
  Range range_;
  const std::string& name_;
  Expansion& expansion_;
  const Place& place_;
  Flow& flow_;
  std::string part_;
};

}  // namespace

void place_model(const Declaration& model, const syntax::Call& call, Range range, const std::string& name,
                 Expansion& expansion, const Place& place, Flow& flow, Sequence& items) {
  const syntax::CallPart& part = call.parts.front();
  const std::string path = name.empty() ? place.paths.path() : place.paths.join(name);
  if (!without_arguments(Parts(call.parts).subspan(1), expansion.diagnostics)) {
    return fail_call(name, range, expansion, place, flow);
  }
  const auto given = give_arguments(part.name, parameters_of(model), part.arguments, place.environment(),
                                    expansion.diagnostics);
  if (!given || !flow.shape) return fail_call(name, range, expansion, place, flow);
  if (!enter(model, part.name.text, range, expansion)) return fail_call(name, range, expansion, place, flow);
  const std::string written(place.file.sources.text(call.range));
  const Diagnostics::Context context(
      expansion.diagnostics, {fmt::format("in {}{}{}", path, path.empty() ? "" : " = ", written), true, range});
  const auto instance = instantiate(model, *given, expansion);
  if (instance != nullptr && !instance->edits.empty() && name.empty()) {
    expansion.diagnostics.report(range, messages::kEditedNeedsName, part.name.text)
        .help("name it: backbone = " + written);
    fail_call(name, range, expansion, place, flow);
  } else if (instance == nullptr) {
    fail_call(name, range, expansion, place, flow);
  } else {
    const ChainContext chain(expansion.diagnostics, instance->chain);
    ModelPlacement(call, range, name, expansion, place, flow).expand(*instance, items);
  }
  expansion.open.pop_back();
}

}  // namespace cnnc::sema
