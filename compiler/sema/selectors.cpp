// Resolves selectors against the layers of a model, in definition order.
#include "sema/selectors.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_set>

#include "sema/arguments.hpp"
#include "sema/cut.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

using Flags = std::vector<bool>;

// "layer2[0]" -> layer2, 0.
struct Component {
  std::string name;
  std::optional<std::int64_t> index;
};

std::vector<Component> split_path(std::string_view path) {
  std::vector<Component> components;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const std::string_view part = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    const std::size_t bracket = part.find('[');
    Component component{std::string(part.substr(0, bracket)), {}};
    if (bracket != std::string_view::npos) {
      std::int64_t index = 0;
      std::from_chars(part.data() + bracket + 1, part.data() + part.size() - 1, index);
      component.index = index;
    }
    components.push_back(std::move(component));
  }
  return components;
}

// A path's component with its slice evaluated; bounds may be negative: from the end.
struct Pattern {
  const syntax::PathComponent* component;
  bool is_slice = false;
  std::optional<std::int64_t> first, last;
};

class Matcher {
 public:
  Matcher(const std::vector<LayerFacts>& layers, std::vector<Pattern> patterns)
      : patterns_(std::move(patterns)) {
    for (const LayerFacts& layer : layers) paths_.push_back(split_path(layer.path));
    for (const auto& path : paths_) {
      std::string prefix;
      for (const Component& component : path) {
        const std::string here = prefix + "." + component.name;
        if (component.index) rounds_[here] = std::max(rounds_[here], *component.index + 1);
        prefix = component.index ? fmt::format("{}[{}]", here, *component.index) : here;
      }
    }
  }

  Flags chosen() const {
    Flags flags;
    for (const auto& path : paths_) flags.push_back(matches(path));
    return flags;
  }

 private:
  // Goes along the path with every number of patterns that may be behind it: one way at a time would take a time
  // exponential in the number of `**`.
  bool matches(const std::vector<Component>& path) const {
    Flags behind(patterns_.size() + 1, false);
    behind[0] = true;
    std::string prefix;
    for (const Component& component : path) {
      pass_any_depth(behind);
      if (behind.back()) return true;  // everything below it
      const std::string here = prefix + "." + component.name;
      Flags next(behind.size(), false);
      for (std::size_t i = 0; i < patterns_.size(); ++i) {
        if (!behind[i]) continue;
        if (is_any_depth(patterns_[i])) next[i] = true;
        else if (fits(patterns_[i], component, here)) next[i + 1] = true;
      }
      behind = std::move(next);
      prefix = component.index ? fmt::format("{}[{}]", here, *component.index) : here;
    }
    return behind.back();
  }

  static bool is_any_depth(const Pattern& pattern) {
    return pattern.component->kind == syntax::PathComponent::Kind::kAnyDepth;
  }

  // `**` may stand for no component.
  void pass_any_depth(Flags& behind) const {
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      if (behind[i] && is_any_depth(patterns_[i])) behind[i + 1] = true;
    }
  }

  bool fits(const Pattern& wanted, const Component& component, const std::string& here) const {
    if (wanted.component->kind != syntax::PathComponent::Kind::kName) return true;
    return name_matches(wanted, component) && index_matches(wanted, component, here);
  }

  static bool name_matches(const Pattern& wanted, const Component& component) {
    const std::string& name = wanted.component->name;
    return wanted.component->prefix ? component.name.starts_with(name) : component.name == name;
  }

  bool index_matches(const Pattern& wanted, const Component& component, const std::string& here) const {
    if (!wanted.component->slice) return true;
    if (!component.index) return false;
    const std::int64_t length = rounds_.at(here);
    const auto from_end = [&](std::int64_t bound) { return bound < 0 ? bound + length : bound; };
    if (!wanted.is_slice) return *component.index == from_end(*wanted.first);
    return *component.index >= from_end(wanted.first.value_or(0)) &&
           *component.index < from_end(wanted.last.value_or(length));
  }

  std::vector<Pattern> patterns_;
  std::vector<std::vector<Component>> paths_;
  std::map<std::string, std::int64_t> rounds_;  // of each named loop
};

bool any(const Flags& chosen) {
  return std::ranges::find(chosen, true) != chosen.end();
}

// False after a message.
bool read_bound(const syntax::ExpressionPtr& expression, std::optional<std::int64_t>& bound,
                const Environment& environment, Diagnostics& diagnostics) {
  if (expression == nullptr) return true;
  const auto value = evaluate(*expression, environment, diagnostics);
  if (!value) return false;
  const auto* number = value->as<std::int64_t>();
  if (number == nullptr) {
    diagnostics.report(expression->range, messages::kWrongIndex, describe(*value));
    return false;
  }
  bound = *number;
  return true;
}

// Every section and layer of the model, in definition order.
std::vector<std::string> all_paths(const std::vector<LayerFacts>& layers) {
  std::vector<std::string> paths;
  std::unordered_set<std::string> seen;
  const auto add = [&](const std::string& path) {
    if (seen.insert(path).second) paths.push_back(path);
  };
  for (const LayerFacts& layer : layers) {
    for (std::size_t i = 0; i < layer.path.size(); ++i) {
      if (layer.path[i] == '.' || layer.path[i] == '[') add(layer.path.substr(0, i));
    }
    add(layer.path);
  }
  return paths;
}

// What stands directly in `scope` (empty: the model), at most eight of it: "conv1, bn1 ...".
std::string members_of(const std::string& scope, const std::vector<LayerFacts>& layers) {
  constexpr std::size_t kMost = 8;
  std::vector<std::string> names;
  for (const LayerFacts& layer : layers) {
    if (!scope.empty() && !layer.path.starts_with(scope + ".")) continue;
    std::string name = layer.path.substr(scope.empty() ? 0 : scope.size() + 1);
    name = name.substr(0, name.find_first_of(".["));
    if (std::ranges::find(names, name) != names.end()) continue;
    if (names.size() == kMost) return fmt::format("{} ...", fmt::join(names, ", "));
    names.push_back(std::move(name));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void report_no_match(std::string_view verb, const syntax::Path& path, const std::vector<LayerFacts>& layers,
                     const FileScope& file) {
  const std::string text(file.sources.text(path.range));
  auto report = file.diagnostics.report(path.range, messages::kMatchesNothing, verb, text);
  const auto paths = all_paths(layers);
  const std::vector<std::string_view> candidates(paths.begin(), paths.end());
  const std::string_view near = nearest(text, candidates);
  std::string scope = text.substr(0, text.rfind('.') == std::string::npos ? 0 : text.rfind('.'));
  std::string members = members_of(scope, layers);
  if (members.empty()) members = members_of(scope = "", layers);
  const std::string exist = fmt::format("{} has {}", scope.empty() ? "the model" : scope, members);
  report.help(near.empty() ? exist : fmt::format("did you mean {}? ({})", near, exist));
}

class SelectorReader {
 public:
  SelectorReader(std::string_view verb, const std::vector<LayerFacts>& layers, const ConfigScope& scope)
      : verb_(verb), layers_(layers), file_(*scope.file), values_(*scope.values) {}

  /// The union of the selectors; none after a message.
  std::optional<Flags> united(const std::vector<syntax::Selector>& selectors) const {
    Flags chosen(layers_.size(), false);
    for (const syntax::Selector& selector : selectors) {
      const auto more = one(selector);
      if (!more) return std::nullopt;
      for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = chosen[i] || (*more)[i];
    }
    return chosen;
  }

  std::optional<Flags> path_or_message(const syntax::Path& path) const {
    auto chosen = match_path(path, layers_, {values_, nullptr}, file_.diagnostics);
    if (!chosen || any(*chosen)) return chosen;
    report_no_match(verb_, path, layers_, file_);
    return std::nullopt;
  }

 private:
  std::optional<Flags> one(const syntax::Selector& selector) const {
    if (const auto* path = std::get_if<syntax::Path>(&selector.form)) return path_or_message(*path);
    return of_kind(std::get<syntax::LayersSelector>(selector.form), selector.range);
  }

  std::optional<Flags> of_kind(const syntax::LayersSelector& selector, Range range) const {
    auto chosen = selector.of ? path_or_message(*selector.of) : Flags(layers_.size(), true);
    if (!chosen || !keep_kind(selector, *chosen)) return std::nullopt;
    if (!any(*chosen)) {
      file_.diagnostics.report(range, messages::kMatchesNothing, verb_, file_.sources.text(range))
          .help("the model has no such layer" + std::string(selector.of ? " there" : ""));
      return std::nullopt;
    }
    if (selector.which == syntax::LayersSelector::Which::kAll) return chosen;
    return cut(selector, range, std::move(*chosen));
  }

  // Clears what is not of the kind wanted; false after a message.
  bool keep_kind(const syntax::LayersSelector& selector, Flags& chosen) const {
    if (!selector.kind) return true;
    const std::string& kind = selector.kind->text;
    if (kind != "weighted" && file_.ops.find(kind) == nullptr) {
      std::vector<std::string_view> known{"weighted"};
      for (const ir::OpDef& op : file_.ops.all()) known.push_back(op.name);
      auto report = file_.diagnostics.report(selector.kind->range, messages::kUnknownLayerType, kind);
      if (const auto near = nearest(kind, known); !near.empty())
        report.help(fmt::format("did you mean {}?", near));
      return false;
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const bool is = kind == "weighted" ? layers_[i].weighted : layers_[i].op->name == kind;
      chosen[i] = chosen[i] && is;
    }
    return true;
  }

  std::optional<Flags> cut(const syntax::LayersSelector& selector, Range range, Flags chosen) const {
    const auto count = evaluate(*selector.count, {values_, nullptr}, file_.diagnostics);
    if (!count) return std::nullopt;
    const auto* wanted = count->as<std::int64_t>();
    if (wanted == nullptr || *wanted < 1) {
      file_.diagnostics.report(selector.count->range, messages::kWrongCount, describe(*count));
      return std::nullopt;
    }
    const auto size = std::ranges::count(chosen, true);
    const bool first = selector.which == syntax::LayersSelector::Which::kFirst;
    if (*wanted > size) {
      file_.diagnostics.report(selector.count->range, messages::kCountTooLarge, first ? "first" : "last",
                               *wanted, size);
      return std::nullopt;
    }
    const Flags candidates = chosen;
    std::int64_t left = first ? *wanted : size - *wanted;  // how many of the front stay, or go
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (!chosen[i]) continue;
      chosen[i] = first == (left > 0);
      --left;
    }
    note_cut_inside(selector, range, {layers_, candidates, chosen, first, *wanted}, file_);
    return chosen;
  }

  std::string_view verb_;
  const std::vector<LayerFacts>& layers_;
  const FileScope& file_;
  const Scope& values_;
};

}  // namespace

std::optional<Flags> match_path(const syntax::Path& path, const std::vector<LayerFacts>& layers,
                                 const Environment& environment, Diagnostics& diagnostics) {
  std::vector<Pattern> patterns;
  for (const syntax::PathComponent& component : path.components) {
    Pattern pattern{.component = &component, .is_slice = false, .first = {}, .last = {}};
    if (component.slice) {
      pattern.is_slice = component.slice->is_slice;
      const bool well = read_bound(component.slice->first, pattern.first, environment, diagnostics) &&
                        read_bound(component.slice->last, pattern.last, environment, diagnostics);
      if (!well) return std::nullopt;
    }
    patterns.push_back(pattern);
  }
  return Matcher(layers, std::move(patterns)).chosen();
}

std::optional<std::vector<bool>> select_layers(const std::vector<syntax::Selector>& selectors, std::string_view verb,
                                               const std::vector<LayerFacts>& layers, const ConfigScope& scope) {
  const InScope in_scope(scope);
  return SelectorReader(verb, layers, scope).united(selectors);
}

std::optional<std::vector<bool>> select_path(const syntax::Path& path, std::string_view verb,
                                             const std::vector<LayerFacts>& layers, const ConfigScope& scope) {
  const InScope in_scope(scope);
  return SelectorReader(verb, layers, scope).path_or_message(path);
}

bool apply_freezing(const Scoped<syntax::Freezing>& line, const std::vector<LayerFacts>& layers,
                    std::vector<bool>& frozen) {
  const syntax::Freezing& freezing = *line.line;
  const auto chosen = select_layers(freezing.selectors, freezing.freeze ? "freeze" : "unfreeze", layers, *line.scope);
  const auto excepted = select_layers(freezing.except, "except", layers, *line.scope);
  if (!chosen || !excepted) return false;
  for (std::size_t i = 0; i < frozen.size(); ++i) {
    if ((*chosen)[i] && !(*excepted)[i]) frozen[i] = freezing.freeze;
  }
  return true;
}

}  // namespace cnnc::sema
