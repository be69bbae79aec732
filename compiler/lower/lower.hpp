// The stage from Model to Graph: pipelines and branches become nodes and values, and cards name the parameters.
#pragma once

#include "ir/graph.hpp"
#include "sema/model.hpp"

namespace cnnc::lower {

/// The model's forward graph, verified. `act=` becomes a node of its own that belongs to its layer.
ir::Graph lower(const sema::Model& model, const Sources& sources);

}  // namespace cnnc::lower
