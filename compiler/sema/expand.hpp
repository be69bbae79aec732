// From a model's body to its pipeline: blocks and loops unrolled, names given, arguments checked, shapes inferred as layers are
// met. Internal to sema: models.cpp begins here, expand.cpp walks statements, layers.cpp places layers and merges, blocks.cpp
// what is called by a name of the user's.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sema/arguments.hpp"
#include "sema/edits.hpp"
#include "sema/file_scope.hpp"
#include "sema/model.hpp"
#include "sema/values/evaluate.hpp"

namespace cnnc::sema {

/// What selectors and messages ask about a layer; in definition order, a merge after its arms.
struct LayerFacts {
  std::string path;
  const ir::OpDef* op = nullptr;
  const ir::OpDef* activation = nullptr;
  bool weighted = false;  // has trainable parameters
  Range range;
  bool auxiliary = false;  // in a head beside the model's own
};

/// Layers, blocks and rounds of loops that one model may expand to, in all of its attempts.
inline constexpr std::int64_t kMaxExpansion = 100'000;
/// Blocks inside of blocks.
inline constexpr std::size_t kMaxBlockDepth = 64;
/// Numbers that one layer's output or one of its parameters may have.
inline constexpr double kMaxNumbers = 2147483648.0;

/// Counts layers, blocks and rounds; one for everything that a model's expansion needs, so that it always ends.
struct Budget {
  std::int64_t size = 0;
  bool exhausted = false;
  /// Counts one; false, with one message, when there are too many.
  bool take(Range range, Diagnostics& diagnostics);
};

/// What one model's expansion knows and collects.
struct Expansion {
  const std::deque<FileScope>& files;
  const ir::OpRegistry& ops;
  Diagnostics& diagnostics;
  Budget& budget;

  std::vector<LayerFacts> layers = {};
  std::map<std::string, std::optional<ir::Shape>, std::less<>> outputs = {};  // what a tap can name
  std::set<std::string, std::less<>> calls = {};  // paths at which `set` finds arguments: layers and named blocks
  std::vector<const void*> open = {};             // the blocks and models being expanded, from the outermost
  bool incomplete = false;                        // something was not expanded because of a mistake before it
  const syntax::Step* tap_allowed = nullptr;      // the first step of the branch at hand
  bool in_auxiliary = false;
  bool keeps_auxiliaries = true;                  // a section of another model leaves its auxiliary heads behind
};

/// What stands around a body: the tensor that `input` means, and the model's input line where it is a model's.
struct Enclosing {
  std::optional<ir::Shape> input;
  const syntax::InputStatement* own_input = nullptr;
  Range input_range = {};  // of that line, once the walk has come to it
};

/// Where in the model: whose names the text means, the values and paths in sight, what edits reach this part.
struct Place {
  const FileScope& file;
  const Scope& values;
  PathScope& paths;
  Enclosing& around;
  const EditScope* edits = nullptr;
  bool top = false;  // directly in the model's braces

  Environment environment() const { return {values, around.input ? &*around.input : nullptr}; }
  Place with(const Scope& other_values) const { return {file, other_values, paths, around, edits, false}; }
  Place with(const Scope& other_values, PathScope& other_paths) const {
    return {file, other_values, other_paths, around, edits, false};
  }
};

/// The tensor at hand (none after a mistake: followers stay silent) and the layer that made it.
struct Flow {
  std::optional<ir::Shape> shape;
  Range last;
  bool changed = false;  // a layer stands between the branch's begin and here
};

void expand_statements(const std::vector<syntax::Statement>& statements, Expansion& expansion,
                       const Place& place, Flow& flow, Sequence& items);

/// Binds a `let` in `values` or checks a `require`; false where the statement is neither.
bool bind_value(const syntax::Statement& statement, Expansion& expansion, const Place& place, Scope& values);

/// Notes that a block or model is being expanded; false, after a message, where it would stand in itself or too deep.
bool enter(const Declaration& declared, const std::string& name, Range range, Expansion& expansion);
/// What a call with a mistake leaves behind: followers stay silent.
void fail_call(const std::string& name, Range range, Expansion& expansion, const Place& place, Flow& flow);

/// The named part of another model under the name that it gets here; without one, its steps alone.
void expand_named(const syntax::LayerStatement& layer, Range range, const std::string& name, Expansion& expansion,
                  const Place& place, Flow& flow, Sequence& items);

/// The text with its expressions filled in; none after a message.
std::optional<std::string> fill_in(const syntax::Template& words, const Environment& environment, Diagnostics& diagnostics);

/// Places one call of a layer, block or model. `name`: the written name, taken already; empty: a layer gets a number, a block
/// adds nothing to the path.
void place_call(const syntax::CallStep& step, Range range, const std::string& name, Expansion& expansion,
                const Place& place, Flow& flow, Sequence& items);
void place_layer(const ir::OpDef& op, const syntax::CallPart& part, Range range, const std::string& name,
                 Expansion& expansion, const Place& place, Flow& flow, Sequence& items);
void place_merge(const syntax::MergeStep& step, Range range, const std::string& name, Expansion& expansion,
                 const Place& place, Flow& flow, Sequence& items);
/// What edits set at `path`.
std::vector<ArgumentOverride> overrides_at(const std::string& path, const Place& place);
void report_unknown_layer(const std::string& name, Range range, const Expansion& expansion, const Place& place);

/// Runs `original`, which places what stands at `path`, unless an edit removes or replaces it, and what edits insert beside it.
template <class Original>
void with_edits(const std::string& path, const std::string& name, Range range, Expansion& expansion, const Place& place,
                Flow& flow, Sequence& items, const Original& original);
/// The body that an edit gives, in the place of `path` or beside it.
void expand_edit(const FoundEdit& edit, const syntax::Body& body, const std::string* section, Expansion& expansion,
                 const Place& place, Flow& flow, Sequence& items);

/// Opens a section `name` in `place`, fills it by `body(paths, items)`, and records its output.
template <class Body>
void place_section(const std::string& name, std::string called, Expansion& expansion, const Place& place, Flow& flow,
                   Sequence& items, const Body& body) {
  Section section{place.paths.join(name), std::move(called), {}};
  PathScope inside(section.path, &place.paths);
  body(inside, section.body);
  expansion.outputs[section.path] = flow.shape;
  items.push_back({std::move(section)});
}

template <class Original>
void with_edits(const std::string& path, const std::string& name, Range range, Expansion& expansion, const Place& place,
                Flow& flow, Sequence& items, const Original& original) {
  const std::vector<FoundEdit> edits = place.edits == nullptr ? std::vector<FoundEdit>() : place.edits->at(path);
  const auto insert = [&](bool before) {
    for (const FoundEdit& found : edits) {
      const auto* edit = std::get_if<syntax::InsertEdit>(&found.edit->form);
      if (edit != nullptr && edit->before == before) expand_edit(found, edit->body, nullptr, expansion, place, flow, items);
    }
  };
  insert(true);
  const FoundEdit* change = nullptr;  // the last one wins
  for (const FoundEdit& found : edits) {
    const bool changes = std::holds_alternative<syntax::RemoveEdit>(found.edit->form) ||
                         std::holds_alternative<syntax::ReplaceEdit>(found.edit->form);
    if (changes) change = &found;
  }
  if (change == nullptr) {
    original();
  } else if (const auto* replacement = std::get_if<syntax::ReplaceEdit>(&change->edit->form)) {
    expand_edit(*change, replacement->body, &name, expansion, place, flow, items);
  } else {
    flow.last = range;
  }
  insert(false);
}

}  // namespace cnnc::sema
