// A model's constants as text.
#include "describe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cnn/network/network.hpp"
#include "text.hpp"

namespace cnn::program {
namespace {

/// As written in the spec: 0.001, whatever the last bits of the double.
float shortest(double value) {
  return static_cast<float>(value);
}

std::string transform_text(const TransformDescription& transform) {
  switch (transform.kind) {
    case TransformKind::kResize:
      return fmt::format("resize({}x{})", transform.height, transform.width);
    case TransformKind::kResizeShort:
      return fmt::format("resize(short={})", transform.amount);
    case TransformKind::kCenterCrop:
      return fmt::format("center_crop({}x{})", transform.height, transform.width);
    case TransformKind::kPad:
      return fmt::format("pad({})", transform.amount);
    case TransformKind::kGrayscale:
      return "grayscale";
    case TransformKind::kRgb:
      return "rgb";
    case TransformKind::kNormalize:
      return fmt::format("normalize(mean=[{}], std=[{}])", fmt::join(transform.mean, ", "),
                         fmt::join(transform.std_deviation, ", "));
    default:
      return "";  // random ones are not for prepare
  }
}

}  // namespace

std::string input_text(const ModelDescription& model) {
  return fmt::format("{}x{}x{}", model.input[0], model.input[1], model.input[2]);
}

std::string optimizer_text(const OptimizerDescription& optimizer) {
  const bool sgd = optimizer.algorithm == Algorithm::kSgd;
  const bool rmsprop = optimizer.algorithm == Algorithm::kRmsprop;
  std::string text = sgd                                       ? "sgd"
                     : rmsprop                                 ? "rmsprop"
                     : optimizer.algorithm == Algorithm::kAdam ? "adam"
                                                               : "adamw";
  text += fmt::format("(lr={}", shortest(optimizer.learning_rate));
  if (rmsprop) text += fmt::format(", smoothing={}", shortest(optimizer.smoothing));
  if ((sgd || rmsprop) && optimizer.momentum != 0)
    text += fmt::format(", momentum={}", shortest(optimizer.momentum));
  if (sgd && optimizer.nesterov) text += ", nesterov=true";
  if (optimizer.weight_decay != 0) text += fmt::format(", weight_decay={}", shortest(optimizer.weight_decay));
  return text + ")";
}

std::string preparation_text(const ModelDescription& model) {
  std::string text = input_text(model) + ":";
  for (const TransformDescription& transform : model.data.prepare) text += " " + transform_text(transform);
  return model.data.prepare.empty() ? text + " pixels/255" : text;
}

std::string class_name(const ModelDescription& model, int index) {
  const auto place = static_cast<std::size_t>(index);
  if (place < model.data.class_names.size()) return std::string(model.data.class_names[place]);
  return std::to_string(index);
}

std::vector<std::string> class_names(const ModelDescription& model) {
  std::vector<std::string> names;
  for (int index = 0; index < model.outputs; ++index) names.push_back(class_name(model, index));
  return names;
}

std::int64_t parameter_count(const ModelDescription& model) {
  std::int64_t count = 0;
  for (const TensorDescription& tensor : model.tensors)
    if (!tensor.statistic) count += static_cast<std::int64_t>(tensor.count);
  return count;
}

std::vector<std::pair<std::string, std::size_t>> memory_regions(const ModelDescription& model, int threads) {
  const MemoryDescription& memory = model.memory;
  const auto team = static_cast<std::size_t>(threads);
  const std::size_t images = static_cast<std::size_t>(model.batch);
  const std::size_t results = images * (static_cast<std::size_t>(model.outputs) + 1);
  return {{"parameters", memory.parameters * sizeof(float)},
          {"gradients", memory.gradients * sizeof(float)},
          {"optimizer", memory.optimizer * sizeof(float)},
          {"activations", memory.activations * sizeof(float)},
          {"thread_scratch", memory.thread_scratch * team * sizeof(float)},
          {"parts", (memory.part_gradients + (memory.part_activations + memory.part_scratch) * team) * sizeof(float)},
          {"results", results * sizeof(float)}};
}

std::string memory_text(const ModelDescription& model, int threads) {
  std::string parts;
  for (const auto& [name, bytes] : memory_regions(model, threads))
    if (bytes > 0)
      parts +=
          fmt::format("{}{} {}", parts.empty() ? "" : ", ", name, bytes_text(static_cast<double>(bytes)));
  const auto total = static_cast<double>(arena_floats(model, threads) * sizeof(float));
  return fmt::format("{} for {} {} and batch {} ({})", bytes_text(total), threads,
                     threads == 1 ? "thread" : "threads", model.batch, parts);
}

}  // namespace cnn::program
