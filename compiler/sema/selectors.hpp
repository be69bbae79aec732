// Selectors: which layers `freeze last 4 weighted layers of backbone` means.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sema/models.hpp"

namespace cnnc::sema {

/// Applies one freeze or unfreeze line to `frozen`, one flag a layer. False after a message: a selector that
/// matches nothing, a count larger than its set, an unknown layer type.
bool apply_freezing(const syntax::Freezing& line, const std::vector<LayerFacts>& layers,
                    std::vector<bool>& frozen, const FileScope& file);

/// The layers at or below `path`, one flag a layer. Components: name, name*, *, **, name[i], name[a:b].
/// None after a message about an index; nothing matched is all false.
std::optional<std::vector<bool>> match_path(const syntax::Path& path, const std::vector<LayerFacts>& layers,
                                            const Environment& environment, Diagnostics& diagnostics);

}  // namespace cnnc::sema
