// Models with their parameters bound: which arguments, defaults and --set values they get, and their
// pipeline.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sema/analyze.hpp"
#include "sema/expand.hpp"

namespace cnnc::sema {

/// What the file declares, and the values that hold in all of it.
struct FileScope {
  const ir::OpRegistry& ops;
  const Overrides& overrides;
  const Sources& sources;
  Diagnostics& diagnostics;
  Scope values = Scope();
  std::map<std::string, const syntax::ModelItem*, std::less<>> models = {};
  std::map<std::string, const syntax::DataItem*, std::less<>> data = {};
  std::set<std::string, std::less<>> unsupported_names =
      {};  // blocks, imports, recipes, aliases: reported already
  std::set<std::string, std::less<>> model_names = {};

  /// The value that `--set name=` gives; none where there is no such override.
  std::optional<ir::Value> override_of(std::string_view name) const;
};

/// A model with its arguments, expanded, with what selectors ask about its layers.
struct ExpandedModel {
  Model model;
  std::vector<LayerFacts> layers;
  Range input_range;
};

/// Every parameter without a default and without a --set, as in "width and depth"; empty where the model is
/// complete.
std::string missing_parameters(const syntax::ModelItem& item, const FileScope& file);

/// The model with the arguments of `call` (null: none). None where it has a mistake; `place` is where the
/// call stands.
std::optional<ExpandedModel> expand_model(const syntax::ModelItem& item, const syntax::CallPart* call,
                                          const FileScope& file);

}  // namespace cnnc::sema
