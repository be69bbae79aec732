// From a model's body to its pipeline: loops unrolled, names given, arguments checked, shapes inferred as
// layers are met. Internal to sema: models.cpp begins here, expand.cpp walks statements, layers.cpp places
// layers and merges.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

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
};

/// Layers and rounds of loops that one model may expand to.
inline constexpr std::int64_t kMaxExpansion = 100'000;
/// Numbers that one layer's output or one of its parameters may have.
inline constexpr double kMaxNumbers = 2147483648.0;

/// What one model's expansion knows and collects.
struct Expansion {
  const ir::OpRegistry& ops;
  const std::set<std::string, std::less<>>&
      unsupported_names;  // blocks and imports: reported where they are declared
  const std::set<std::string, std::less<>>& model_names;
  Diagnostics& diagnostics;

  Model model = {};
  const syntax::InputStatement* first_input = nullptr;
  std::optional<Range> input_range = {};  // none: the walk has not come to it
  std::vector<LayerFacts> layers = {};
  std::map<std::string, std::optional<ir::Shape>, std::less<>> outputs = {};  // what a tap can name
  const syntax::Step* tap_allowed = nullptr;  // the first step of the branch at hand
  std::int64_t size = 0;                      // layers and rounds so far
  bool too_large = false;

  const ir::Shape* input() const { return input_range ? &model.input : nullptr; }
  /// Counts a layer or a round; false, with one message, when there are too many.
  bool grow(Range range);
};

/// Where in the model: the values and paths in sight, the tensor at hand (none after a mistake: followers
/// stay silent), the layer that made it, and where items go.
struct Place {
  const Scope& values;
  PathScope& paths;
  bool top = false;  // directly in the model's braces
};
struct Flow {
  std::optional<ir::Shape> shape;
  Range last;
  bool changed = false;  // a layer stands between the branch's begin and here
};

void expand_statements(const std::vector<syntax::Statement>& statements, Expansion& expansion,
                       const Place& place, Flow& flow, Sequence& items);

/// Places one call. `name`: the written name, taken already; empty: it gets a number.
void place_layer(const syntax::CallStep& step, Range range, const std::string& name, Expansion& expansion,
                 const Place& place, Flow& flow, Sequence& items);
void place_merge(const syntax::MergeStep& step, Range range, const std::string& name, Expansion& expansion,
                 const Place& place, Flow& flow, Sequence& items);

}  // namespace cnnc::sema
