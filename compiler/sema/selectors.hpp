// Selectors: which layers `freeze last 4 weighted layers of backbone` means.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sema/train.hpp"

namespace cnnc::sema {

/// The layers that selectors mean together, one flag a layer. None after a message: a selector that matches nothing, a count
/// larger than its set, an unknown layer type. `verb` begins it: "freeze".
std::optional<std::vector<bool>> select_layers(const std::vector<syntax::Selector>& selectors, std::string_view verb,
                                               const std::vector<LayerFacts>& layers, const ConfigScope& scope);

/// The layers at or below a path; none after a message.
std::optional<std::vector<bool>> select_path(const syntax::Path& path, std::string_view verb,
                                             const std::vector<LayerFacts>& layers, const ConfigScope& scope);

/// Applies one freeze or unfreeze line to `frozen`, one flag a layer. False after a message.
bool apply_freezing(const Scoped<syntax::Freezing>& line, const std::vector<LayerFacts>& layers,
                    std::vector<bool>& frozen);

/// The layers at or below `path`, one flag a layer. Components: name, name*, *, **, name[i], name[a:b].
/// None after a message about an index; nothing matched is all false.
std::optional<std::vector<bool>> match_path(const syntax::Path& path, const std::vector<LayerFacts>& layers,
                                            const Environment& environment, Diagnostics& diagnostics);

}  // namespace cnnc::sema
