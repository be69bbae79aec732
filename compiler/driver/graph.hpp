// `cnnc graph`: the network as a drawing.
#pragma once

#include <string>

#include "sema/model.hpp"

namespace cnnc::driver {

/// The model in Graphviz's dot language: a node a layer with its output's shape, an edge a tensor, sections and blocks as
/// clusters.
std::string graph_dot(const sema::Model& model);

/// A text in the dot language drawn as SVG by Graphviz. Throws std::runtime_error where it is not installed or fails.
std::string draw_svg(const std::string& dot);

}  // namespace cnnc::driver
