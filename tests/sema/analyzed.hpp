// A spec given as text, parsed and analyzed, for sema's tests.
#pragma once

#include <string>

#include "ops/cards.hpp"
#include "sema/analyze.hpp"
#include "syntax/parser.hpp"

namespace cnnc {

struct Analyzed {
  explicit Analyzed(const std::string& text, const sema::Overrides& overrides = {}) {
    const auto file = sources.add("folder/net.cnn", "cnn 1\n" + text);
    auto syntax = syntax::parse(sources, file, diagnostics);
    if (!syntax || diagnostics.failed()) return;
    modules.push_back({std::move(*syntax), "", {}});
    programs = sema::analyze(modules, ops, overrides, sources, diagnostics);
  }

  std::string messages() const { return render(diagnostics, sources); }
  /// The ids of what was reported, in order: "unknown-name unknown-layer".
  std::string ids() const {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics.all()) text += (text.empty() ? "" : " ") + diagnostic.id;
    return text;
  }

  ir::OpRegistry ops = ops::registry();
  Sources sources;
  Diagnostics diagnostics;
  syntax::Modules modules;
  std::vector<sema::Program> programs;
};

/// The paths of a pipeline's layers in definition order, a merge after its arms: "stem.conv1 stem.bn1 add1".
inline void append_paths(const sema::Sequence& sequence, std::string& text) {
  const auto add = [&](const std::string& path) { text += (text.empty() ? "" : " ") + path; };
  for (const sema::Item& item : sequence) {
    if (const auto* call = std::get_if<sema::LayerCall>(&item.form)) add(call->layer.path);
    if (const auto* section = std::get_if<sema::Section>(&item.form)) append_paths(section->body, text);
    if (const auto* head = std::get_if<sema::Auxiliary>(&item.form)) append_paths(head->body, text);
    const auto* merge = std::get_if<sema::Merge>(&item.form);
    if (merge == nullptr) continue;
    for (const sema::Sequence& arm : merge->arms) append_paths(arm, text);
    add(merge->layer.path);
  }
}

}  // namespace cnnc
