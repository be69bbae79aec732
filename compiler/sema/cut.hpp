// A note for `last 40 layers` where the cut goes through a block: what it takes of the block, and how to take it whole.
#pragma once

#include <vector>

#include "sema/models.hpp"

namespace cnnc::sema {

/// The layers among which a count selects, and those that it takes; one flag a layer.
struct Cut {
  const std::vector<LayerFacts>& layers;
  const std::vector<bool>& candidates;
  const std::vector<bool>& chosen;
  bool first = false;      // `first`, else `last`
  std::int64_t count = 0;
};

/// Reports the note where the cut separates layers of one round, block or section.
void note_cut_inside(const syntax::LayersSelector& selector, Range range, const Cut& cut, const FileScope& file);

}  // namespace cnnc::sema
