// A model's constants as text: what commands print and weights files carry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cnn/network/description.hpp"

namespace cnn::program {

/// "1x32x32"
std::string input_text(const ModelDescription& model);
/// "adam(lr=0.001)": with what differs from the defaults.
std::string optimizer_text(const OptimizerDescription& optimizer);
/// What images go through before the network sees them: "1x32x32: resize(32x32) normalize(mean=[0.5],
/// std=[0.5])". Weights are of use only with the preparation they were trained with.
std::string preparation_text(const ModelDescription& model);
/// The class's name; its number where the spec names none.
std::string class_name(const ModelDescription& model, int index);
/// All of a classifier's class names.
std::vector<std::string> class_names(const ModelDescription& model);
/// Numbers that can learn, statistics not included.
std::int64_t parameter_count(const ModelDescription& model);
/// The arena's regions and their bytes, in order.
std::vector<std::pair<std::string, std::size_t>> memory_regions(const ModelDescription& model, int threads);
/// "12.3 MiB of memory for 2 threads and batch 128: parameters 0.2, ...".
std::string memory_text(const ModelDescription& model, int threads);

}  // namespace cnn::program
