// `init PATH from "FILE"`: which part of the model gets weights from which file, and what that part is called there.
#include <algorithm>

#include "sema/selectors.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

const std::vector<ir::ArgumentDef>& init_arguments() {
  static const std::vector<ir::ArgumentDef> kArguments = {
      {.name = "match",
       .type = ir::ArgumentType::kWord,
       .default_value = ir::Value{ir::Word{"name"}},
       .summary = "Pairs tensors by name or in definition order.",
       .choices = {"name", "order"}},
      {.name = "section",
       .type = ir::ArgumentType::kText,
       .default_value = ir::Value{std::string()},
       .summary = "The part's path in the model that the file was made with, where it is not that of the section used."}};
  return kArguments;
}

// A path that names one part, so that names below it can be relative to it.
bool is_plain(const syntax::Path& path) {
  return std::ranges::all_of(path.components, [](const syntax::PathComponent& component) {
    return component.kind == syntax::PathComponent::Kind::kName && !component.prefix &&
           (!component.slice || !component.slice->is_slice);
  });
}

bool is_at_or_below(std::string_view path, std::string_view part) {
  return path.starts_with(part) && (path.size() == part.size() || path[part.size()] == '.' || path[part.size()] == '[');
}

// The innermost section of another model that `part` lies in, and the way from there: "features.block1".
std::string section_of(std::string_view part, const Sequence& sequence) {
  for (const Item& item : sequence) {
    if (const auto* merge = std::get_if<Merge>(&item.form)) {
      for (const Sequence& arm : merge->arms) {
        if (std::string found = section_of(part, arm); !found.empty()) return found;
      }
    }
    const auto* section = std::get_if<Section>(&item.form);
    if (section == nullptr || !(section->path.empty() || is_at_or_below(part, section->path))) continue;
    if (std::string inner = section_of(part, section->body); !inner.empty()) return inner;
    const std::size_t dot = section->source.find('.');
    if (section->path.empty() || dot == std::string::npos) continue;
    return section->source.substr(dot + 1) + std::string(part.substr(section->path.size()));
  }
  return "";
}

// A part's path with its indices as numbers, as layers have it; empty where it names no single part.
std::string path_text(const syntax::Path& path, const std::vector<bool>& chosen, const std::vector<LayerFacts>& layers,
                      const FileScope& file) {
  if (!is_plain(path)) return "";
  std::string text(file.sources.text(path.range));
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (chosen[i] && !is_at_or_below(layers[i].path, text)) return "";  // an index that had to be computed
  }
  return text;
}

}  // namespace

void resolve_initial_weights(const TrainLines& lines, const ExpandedModel& model, ir::Training& training) {
  for (const auto& [init, scope] : lines.initial_weights) {
    const InScope in_scope(*scope);
    const FileScope& file = *scope->file;
    const auto arguments = check_arguments({"init", init->path.range, init_arguments()}, init->arguments, file.ops,
                                           scope->environment(), file.diagnostics);
    if (!arguments) continue;
    const auto layers = select_path(init->path, "init", model.layers, *scope);
    if (!layers) continue;
    const std::string_view written = file.sources.text(init->path.range);
    bool weighted = false;
    for (std::size_t i = 0; i < layers->size(); ++i) weighted |= (*layers)[i] && model.layers[i].weighted;
    if (!weighted) {
      file.diagnostics.report(init->path.range, messages::kNothingToLoad, written);
      continue;
    }
    const std::string path = path_text(init->path, *layers, model.layers, file);
    std::string section = *arguments->values.at("section").as<std::string>();
    if (section.empty() && !path.empty()) section = section_of(path, model.model.body);
    training.initial_weights.push_back({.path = std::string(written),
                                        .file = file.resolve(init->file.text),
                                        .by_order = arguments->values.word("match") == "order",
                                        .section = section,
                                        .prefix = path,
                                        .layers = *layers});
  }
}

}  // namespace cnnc::sema
