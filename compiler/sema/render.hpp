// A program as a spec again: everything expanded, every default written out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sema/model.hpp"

namespace cnnc::sema {

/// The whole spec of one program. It means what the program means: checking and compiling it gives the same layers, paths,
/// data and training.
std::string render(const Program& program);

/// Its parts: the model's lines, those of the data and of the train, without the file's head.
std::string render_model(const Model& model);
std::string render_data(const Program& program);      // empty where there is none
std::string render_training(const Program& program);  // empty where there is none

/// The paths of a model's layers in definition order, a merge after its arms: the order of every flag a layer.
std::vector<std::string> layer_paths(const Model& model);

/// The flagged layers as few paths: a section stands for all that is below it. "conv1, features.layer1".
std::string covering_paths(const std::vector<bool>& flags, const std::vector<std::string>& layers);

/// A layer as it is written: conv(64, 3, stride=1, ...), every argument with its value.
std::string call_text(const ir::Layer& layer);

}  // namespace cnnc::sema
