// Models with their parameters bound: which arguments, defaults and --set values they get, what an alias fixes and an
// `extends` edits, and their pipeline.
#pragma once

#include <deque>
#include <forward_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sema/analyze.hpp"
#include "sema/expand.hpp"

namespace cnnc::sema {

/// A parameter of a block or model, as callers see it.
struct ParameterFacts {
  std::string_view name;
  bool required = false;
  Range range;
};

/// The parameters that a call of the model may give: its own, then those of the model that it is made from and does not fix.
std::vector<ParameterFacts> parameters_of(const Declaration& model);

/// Values for parameters by name; none where a value had a mistake.
struct GivenValue {
  std::optional<ir::Value> value;
  Range range;
};
using Given = std::map<std::string, GivenValue, std::less<>>;

/// The arguments of a call by the names of the callee's parameters; none after a message.
std::optional<Given> give_arguments(const syntax::Name& callee, const std::vector<ParameterFacts>& parameters,
                                    const std::optional<syntax::Arguments>& arguments, const Environment& environment,
                                    Diagnostics& diagnostics, const std::vector<ArgumentOverride>& overrides = {});

/// Defines every parameter in `values`: what is given, else its default, which may use the parameters before it.
void bind_parameters(const std::vector<syntax::Parameter>& parameters, const Given& given, Scope& values,
                     Diagnostics& diagnostics);

/// "(width=64, stride=1)": a block's parameters with their values, for messages and clusters.
std::string bound_text(const std::vector<syntax::Parameter>& parameters, const Scope& values);

/// A model with a body and its parameters bound, through aliases and edits. Scopes don't move while it lives.
struct Instance {
  std::string name;
  Range range;  // of the name
  const syntax::Body* body = nullptr;
  const FileScope* home = nullptr;  // of the body's text
  const Scope* values = nullptr;
  std::deque<Scope> scopes = {};
  std::vector<EditLayer> edits = {};  // those of the innermost model first
  std::vector<Note> chain = {};       // "in ResNet50 = ResNet(Bottleneck, ...)", from the outermost
};

/// None after a message. `outer` is the expansion that asks: its blocks are open, its budget is used.
std::unique_ptr<Instance> instantiate(const Declaration& model, const Given& given, Expansion& outer);

/// Expands a whole model on the input that it declares. False after a message; `model` is then unfinished.
bool expand_instance(const Instance& instance, Expansion& expansion, Model& model, Range& input_range);

/// While it lives, messages carry an instance's chain.
class ChainContext {
 public:
  ChainContext(Diagnostics& diagnostics, const std::vector<Note>& chain) {
    for (const Note& note : chain) contexts_.emplace_front(diagnostics, note);
  }

 private:
  std::forward_list<Diagnostics::Context> contexts_;
};

/// A model with its arguments, expanded, with what selectors ask about its layers.
struct ExpandedModel {
  Model model;
  std::vector<LayerFacts> layers;
  Range input_range;
};

/// Every parameter without a default and without a --set, as in "width and depth"; empty where the model is complete.
std::string missing_parameters(const Declaration& model);

/// The model with the arguments of `call` (null: none), and --set where they are its parameters. None where it has a mistake.
std::optional<ExpandedModel> expand_model(const Declaration& model, const syntax::CallPart* call,
                                          const FileScope& caller, const std::deque<FileScope>& files);

/// Places a model, or the part of it that `parts` name after the first, as a layer.
void place_model(const Declaration& model, const syntax::Call& call, Range range, const std::string& name,
                 Expansion& expansion, const Place& place, Flow& flow, Sequence& items);

}  // namespace cnnc::sema
