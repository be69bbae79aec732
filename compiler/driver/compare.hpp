// Networks side by side: what each costs and where.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace cnnc::driver {

enum class TableForm { kText, kMarkdown };

/// A table with a column for each network: sizes, parameters, MACs and their shares by kind of layer, depth,
/// memory for prediction and for training on `threads` threads. The plans are made for the same batch and the
/// same training.
std::string compare_text(const std::vector<plan::Plan>& plans, int threads, TableForm form);

/// The same as a JSON array, an object for each network; memory in bytes.
std::string compare_json(const std::vector<plan::Plan>& plans, int threads);

}  // namespace cnnc::driver
