// Whether a model, its data and its training fit together.
#include <algorithm>

#include "sema/selectors.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

bool is_probabilities(const LayerFacts& layer) {
  return layer.op->traits.probabilities ||
         (layer.activation != nullptr && layer.activation->traits.probabilities);
}

// The layer that decides how many outputs there are: the last that is no activation or dropout.
const LayerFacts& output_layer(const std::vector<LayerFacts>& layers) {
  const auto passes = [](const LayerFacts& layer) {
    return layer.op->traits.activation || layer.op->traits.elementwise || layer.op->traits.probabilities;
  };
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (!passes(*layer)) return *layer;
  }
  return layers.back();
}

void check_classes(const ExpandedModel& model, const DataFacts& data, Diagnostics& diagnostics) {
  const ir::Shape& output = model.model.output;
  const Range range = output_layer(model.layers).range;
  if (!output.flat) {
    diagnostics.report(model.layers.back().range, messages::kOutputNotFlat, model.model.name, to_text(output))
        .help("put 'flatten' or 'gap' before the last dense layer");
    return;
  }
  if (output.channels == data.data.classes) return;
  diagnostics
      .report(range, messages::kClassesDisagree, model.model.name, output.channels, data.data.name,
              data.data.classes)
      .label(fmt::format("{} outputs", output.channels))
      .also(data.classes_range, fmt::format("{} classes", data.data.classes));
}

void check_loss(const TrainLines& lines, const ExpandedModel& model, Diagnostics& diagnostics) {
  if (lines.training.loss != ir::Loss::kCrossEntropy) return;
  const LayerFacts& last = model.layers.back();
  if (is_probabilities(last)) return;
  const bool bounded = last.op->traits.activation || last.activation != nullptr || last.op->traits.random;
  if (!bounded) {
    diagnostics.report(last.range, messages::kSoftmaxAdded, model.model.name, last.op->name);
    return;
  }
  const std::string_view name = last.activation != nullptr ? last.activation->name : last.op->name;
  auto report = diagnostics.report(last.range, messages::kLossNeedsSoftmax, model.model.name, name);
  if (lines.loss_range) report.also(*lines.loss_range, "the loss");
  report.help("end the model with dense(classes) -> softmax");
}

void check_metrics(const TrainLines& lines, const ExpandedModel& model, const DataFacts& data,
                   Diagnostics& diagnostics) {
  const std::vector<std::string>& metrics = lines.training.metrics;
  if (std::ranges::find(metrics, "top5") == metrics.end() || data.data.classes >= 5) return;
  diagnostics.report(model.model.range, messages::kTop5NeedsClasses, data.data.name, data.data.classes)
      .also(data.classes_range, fmt::format("{} classes", data.data.classes));
}

void check_input(const ExpandedModel& model, DataFacts& data, Diagnostics& diagnostics) {
  const ir::Shape& input = model.model.input;
  if (input.flat) {
    diagnostics
        .report(model.input_range, messages::kInputNotImages, model.model.name, to_text(input),
                data.data.name)
        .help("give the images' shape, such as input 1x28x28, and begin with flatten");
    return;
  }
  if (input.channels != 1) {
    diagnostics
        .report(model.input_range, messages::kChannelsDisagree, model.model.name, input.channels,
                data.data.name)
        .also(data.source_range, "idx images have 1 channel");
    return;
  }
  for (ir::Transform& transform : data.data.prepare) {
    if (transform.kind != ir::Transform::Kind::kNormalize) continue;
    const auto channels = static_cast<std::int64_t>(transform.mean.size());
    if (channels == input.channels) continue;
    diagnostics
        .report(*data.normalize_range, messages::kNormalizeChannels, channels, model.model.name,
                input.channels)
        .also(model.input_range, fmt::format("{} channel{}", input.channels, input.channels == 1 ? "" : "s"));
    return;
  }
  for (auto transform = data.data.prepare.rbegin(); transform != data.data.prepare.rend(); ++transform) {
    if (transform->kind != ir::Transform::Kind::kResize) continue;
    if (transform->height == input.height && transform->width == input.width) return;
    diagnostics
        .report(*data.resize_range, messages::kSizesDisagree, data.data.name,
                fmt::format("{}x{}", transform->height, transform->width), model.model.name,
                fmt::format("{}x{}", input.height, input.width))
        .also(model.input_range, to_text(input))
        .help(fmt::format("resize({}x{})", input.height, input.width));
    return;
  }
}

void check_monitors(const TrainLines& lines, const DataFacts& data, Diagnostics& diagnostics) {
  if (data.data.validation.kind != ir::Split::Kind::kNone) return;
  for (const auto& [monitor, range] : lines.monitors) {
    diagnostics.report(range, messages::kMonitorWithoutValidation, monitor, data.data.name)
        .also(data.source_range, "no validation part")
        .help("take one out of the training part: val=0.1");
  }
}

// False after a message.
bool resolve_phase(const PhaseLines& lines, const ExpandedModel& model, ir::Phase& phase,
                   const FileScope& file) {
  phase = lines.phase;
  phase.frozen.assign(model.layers.size(), false);
  for (const syntax::Freezing* line : lines.freezing) {
    if (!apply_freezing(*line, model.layers, phase.frozen, file)) return false;
  }
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    if (model.layers[i].weighted && !phase.frozen[i]) return true;
  }
  auto report = file.diagnostics.report(lines.range, messages::kNothingToTrain, phase.name, model.model.name);
  if (!lines.freezing.empty())
    report.help("unfreeze something after the last freeze: later lines win");
  else
    report.help("the model has no layer with weights, such as conv or dense");
  return false;
}

}  // namespace

std::optional<ir::Training> check_training(const TrainLines& lines, const ExpandedModel& model,
                                           DataFacts& data, const FileScope& file) {
  const int errors = file.diagnostics.errors();
  check_classes(model, data, file.diagnostics);
  check_loss(lines, model, file.diagnostics);
  check_metrics(lines, model, data, file.diagnostics);
  check_input(model, data, file.diagnostics);
  check_monitors(lines, data, file.diagnostics);
  ir::Training training = lines.training;
  for (const PhaseLines& phase : lines.phases) {
    training.phases.emplace_back();
    resolve_phase(phase, model, training.phases.back(), file);
  }
  return file.diagnostics.errors() == errors ? std::optional(std::move(training)) : std::nullopt;
}

}  // namespace cnnc::sema
