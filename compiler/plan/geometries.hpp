// The constexpr geometries that generated kernels are called with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace cnnc::plan {

/// The geometries of all functions, each once, and the scratch memory their kernels want.
class Geometries {
 public:
  explicit Geometries(std::int64_t block, std::int64_t batch) : block_(block), batch_(batch) {}
  /// Index of the geometry of a layer's kernel.
  int of_node(const ir::Graph& graph, const ir::Node& node);
  /// Index of the geometry of a kernel for several layers, with `head` as the first.
  int of_joined(const ir::Graph& graph, const ir::Node& head, const ir::JoinedKernel& kernel);
  /// Index of cnn::MapGeometry for a shape.
  int of_shape(const ir::Shape& shape);
  /// Counts the scratch memory of a call with a geometry, on so many images: `function` of namespace cnn must say the same.
  void need_scratch(int geometry, std::string_view function, const ir::ScratchSize& size, std::int64_t images);
  void prepares(int geometry, const ir::CallDef& call, const ir::OpContext& context);
  std::vector<Geometry> take() { return std::move(list_); }

 private:
  int add(Geometry geometry);
  int add_as_wished(Geometry geometry);

  std::int64_t block_, batch_;
  std::map<std::string, int> by_name_;
  std::vector<Geometry> list_;
};

}  // namespace cnnc::plan
