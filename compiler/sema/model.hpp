// The spec after names, arguments, blocks and loops are resolved: every default filled in, every phase
// explicit.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/graph.hpp"
#include "ir/training.hpp"

namespace cnnc::sema {

struct Item;

/// A pipeline: each item takes the current tensor and replaces it.
using Sequence = std::vector<Item>;

/// One leaf call. `layer` carries path, card, arguments with defaults, and where it was written.
struct LayerCall {
  ir::Layer layer;
  ir::Shape output;
};

/// add, concat: the arms all start from the current tensor. An empty arm is `identity`.
struct Merge {
  ir::Layer layer;
  std::vector<Sequence> arms;
  ir::Shape output;
};

/// `from name`: the current tensor becomes the output of the layer or section at `path`.
struct Tap {
  std::string path;
};

/// A part with a name, or a block without one (then the path is empty). Taps and edits name it; it computes nothing.
struct Section {
  std::string path;
  std::string called;  // "Bottleneck(width=64, stride=1)"; empty where it is no block
  Sequence body;
  std::string source = {};  // "DenseNet121.features" where it is a part of another model
};

/// A second head, which learns beside the model's own and is left out of prediction. Its arm begins at the current tensor and
/// leaves it as it was.
struct Auxiliary {
  std::string path;
  double weight = 0;  // of its loss
  Sequence body;
  ir::Shape output;
  Range range;
};

struct Item {
  std::variant<LayerCall, Merge, Tap, Section, Auxiliary> form;
};

struct Model {
  std::string name;
  Range range;
  std::string input_name;
  ir::Shape input;
  Sequence body;
  ir::Shape output;
};

/// A model with what trains it, if anything does.
struct Program {
  std::string name;  // of the generated files: "lenet5"
  Model model;
  std::optional<ir::Data> data;
  std::optional<ir::Training> training;
};

/// The model as text, for --dump=model: the pipeline with paths, arguments and shapes.
std::string dump(const Program& program);

}  // namespace cnnc::sema
