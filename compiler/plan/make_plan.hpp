// The stage from Graph to Plan.
#pragma once

#include <optional>
#include <string>

#include "ir/graph.hpp"
#include "ir/training.hpp"
#include "passes/passes.hpp"
#include "plan/plan.hpp"

namespace cnnc::plan {

struct PlanRequest {
  std::string program;
  std::optional<ir::Data> data;
  std::optional<ir::Training> training;
  std::int64_t batch = 1;           // the largest; Training::batch where there is one
  std::optional<ir::Precision> precision = {};  // in place of the training's; fast where neither says
  Tuning tuning = {};               // in place of the cost model's choices
  passes::Observer observer = {};   // for --dump-after
};

/// Orders, differentiates per phase, chooses the layout, places buffers. A function for each phase's step, one to evaluate
/// (both only with a training), one to predict; they share the arena's activations.
Plan make_plan(const ir::Graph& graph, const PlanRequest& request);

/// The images of a block for a network: 1, the layout [N][C][H][W], or 16 for tiny networks, [N/16][C][H][W][16].
std::int64_t choose_block(const ir::Graph& graph, std::int64_t batch);

}  // namespace cnnc::plan
