// A layer in the operators of ONNX (opset 13), as its card writes it: plain values, no protobuf.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cnnc::ir {

struct OnnxAttribute {
  std::string_view name;
  std::variant<std::int64_t, double, std::string_view, std::vector<std::int64_t>> value;
};

/// An operator. Names are those of the form it belongs to.
struct OnnxNode {
  std::string_view type;
  std::vector<std::string> inputs;
  std::string output;
  std::vector<OnnxAttribute> attributes = {};
};

/// A tensor of numbers that are known when the file is written; no extents are a single number.
struct OnnxConstant {
  std::string name;
  std::vector<std::int64_t> extents;
  std::variant<std::vector<float>, std::vector<std::int64_t>> values;
};

/// A layer as operators. "input0", "input1" ... are the layer's inputs, "output" is its output, the card's
/// parameters go by their names ("weight"); every other name belongs to this form alone. Maps are [batch,
/// channels, height, width], flat tensors [batch, channels].
struct OnnxForm {
  std::vector<OnnxNode> nodes = {};
  std::vector<OnnxConstant> constants = {};
};

inline OnnxConstant onnx_shape(std::string name, std::vector<std::int64_t> numbers) {
  const auto count = static_cast<std::int64_t>(numbers.size());
  return {std::move(name), {count}, std::move(numbers)};
}
inline OnnxConstant onnx_number(std::string name, double number) {
  return {std::move(name), {}, std::vector<float>{static_cast<float>(number)}};
}

}  // namespace cnnc::ir
