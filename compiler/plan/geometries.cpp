#include "plan/geometries.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "plan/names.hpp"

namespace cnnc::plan {

int Geometries::add(Geometry geometry) {
  const auto [entry, added] = by_name_.try_emplace(geometry.name, static_cast<int>(list_.size()));
  if (added) list_.push_back(std::move(geometry));
  return entry->second;
}

void Geometries::need_scratch(int geometry, std::string_view function, const ir::ScratchSize& size, std::int64_t images) {
  Geometry& own = list_[static_cast<std::size_t>(geometry)];
  (images == batch_ ? own.scratch : own.predicted_scratch).try_emplace(std::string(function), size);
}

void Geometries::prepares(int geometry, const ir::CallDef& call, const ir::OpContext& context) {
  list_[static_cast<std::size_t>(geometry)].prepared.try_emplace(fmt::format("{}d_floats", call.prepare.function), call.prepare.floats(context));
}

int Geometries::of_shape(const ir::Shape& shape) {
  const std::string name = shape.flat || shape.height * shape.width == 1
                               ? fmt::format("k{}", shape.channels)
                               : fmt::format("k{}x{}x{}", shape.channels, shape.height, shape.width);
  // On lanes a map is a flat tensor for all that works element by element.
  const ir::Shape seen = block_ == 1 ? shape : ir::Shape{.channels = shape.elements()};
  return add({.name = name,
              .type = "MapGeometry",
              .fields = {{"channels", seen.channels}, {"height", seen.height}, {"width", seen.width}, {"block", block_}},
              .scratch = {}});
}

// Two paths may differ only by what an identifier can't hold; then the second gets a number.
int Geometries::add_as_wished(Geometry geometry) {
  const std::string wish = geometry.name;
  for (int number = 2;; ++number) {
    const auto found = by_name_.find(geometry.name);
    if (found == by_name_.end()) break;
    const Geometry& other = list_[static_cast<std::size_t>(found->second)];
    const bool same = other.type == geometry.type &&
                      std::ranges::equal(other.fields, geometry.fields, [](const auto& a, const auto& b) {
                        return a.name == b.name && a.value == b.value;
                      });
    if (same) return found->second;
    geometry.name = fmt::format("{}_{}", wish, number);
  }
  return add(std::move(geometry));
}

int Geometries::of_node(const ir::Graph& graph, const ir::Node& node) {
  const ir::OpDef& op = *node.op;
  const auto shapes = graph.input_shapes(node);
  if (op.geometry_type == "MapGeometry") return of_shape(shapes.front());
  return add_as_wished({.name = "k" + camel_case(graph.layer(node.layer).path),
                        .type = std::string(op.geometry_type),
                        .fields = op.geometry(graph.context(node, shapes, block_, batch_)),
                        .scratch = {}});
}

int Geometries::of_joined(const ir::Graph& graph, const ir::Node& head, const ir::JoinedKernel& kernel) {
  const std::string_view kind = kernel.geometry_type.substr(0, kernel.geometry_type.find("Geometry"));
  return add_as_wished({.name = fmt::format("k{}{}", camel_case(graph.layer(head.layer).path), kind),
                        .type = std::string(kernel.geometry_type),
                        .fields = kernel.geometry,
                        .scratch = {}});
}

}  // namespace cnnc::plan
