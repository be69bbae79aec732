// A network with its weights as an ONNX model.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "ir/graph.hpp"

namespace cnnc::onnx {

/// The numbers of a parameter or statistic, as many as its elements; they are read before the next call.
using Weights = std::function<std::span<const float>(const ir::Parameter&)>;

/// The model as the bytes of an ONNX file (opset 13): one input "input" [batch, channels, height, width], one
/// output "output", operators named after their layers, weights as in a weights file. `graph` is the network
/// as it runs at prediction time. Throws std::length_error where the file would pass protobuf's limit of 2
/// GiB.
std::string to_onnx(const ir::Graph& graph, const Weights& weights,
                    const std::map<std::string, std::string>& metadata, std::string_view compiler_version);

}  // namespace cnnc::onnx
