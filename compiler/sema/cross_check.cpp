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

// The layer that ends the model itself, not an auxiliary head.
const LayerFacts& last_layer(const ExpandedModel& model) {
  for (auto layer = model.layers.rbegin(); layer != model.layers.rend(); ++layer) {
    if (!layer->auxiliary) return *layer;
  }
  return model.layers.back();
}

void check_classes(const ExpandedModel& model, const DataFacts& data, Diagnostics& diagnostics) {
  const ir::Shape& output = model.model.output;
  const Range range = output_layer(model.layers).range;
  if (!output.flat) {
    diagnostics.report(last_layer(model).range, messages::kOutputNotFlat, model.model.name, to_text(output))
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

void report_ending(const TrainLines& lines, const ExpandedModel& model, std::string_view loss, std::string_view wanted,
                   Diagnostics& diagnostics) {
  const LayerFacts& last = last_layer(model);
  const std::string_view name = last.activation != nullptr ? last.activation->name : last.op->name;
  auto report = diagnostics.report(last.range, messages::kLossNeedsEnding, loss, wanted, model.model.name, name);
  if (lines.loss_range) report.also(*lines.loss_range, "the loss");
}

void check_loss(const TrainLines& lines, const ExpandedModel& model, Diagnostics& diagnostics) {
  const LayerFacts& last = last_layer(model);
  const ir::OpDef& ending = last.activation != nullptr ? *last.activation : *last.op;
  if (lines.training.loss == ir::Loss::kBinaryCrossEntropy && ending.name != "sigmoid") {
    return report_ending(lines, model, "binary_cross_entropy", "sigmoid", diagnostics);
  }
  if (lines.training.loss == ir::Loss::kLenet5Map && ending.name != "rbf") {
    return report_ending(lines, model, "lenet5_map", "rbf", diagnostics);
  }
  if (lines.training.loss != ir::Loss::kCrossEntropy) return;
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

void collect_heads(const Sequence& sequence, std::vector<const Auxiliary*>& heads) {
  for (const Item& item : sequence) {
    if (const auto* head = std::get_if<Auxiliary>(&item.form)) heads.push_back(head);
    if (const auto* section = std::get_if<Section>(&item.form)) collect_heads(section->body, heads);
  }
}

// Auxiliary heads see the same classes and the same kind of loss as the model's end.
void check_heads(const TrainLines& lines, const ExpandedModel& model, const DataFacts& data, Diagnostics& diagnostics) {
  std::vector<const Auxiliary*> heads;
  collect_heads(model.model.body, heads);
  for (const Auxiliary* head : heads) {
    if (lines.training.loss != ir::Loss::kCrossEntropy) {
      auto report = diagnostics.report(head->range, messages::kAuxiliaryLoss, head->path);
      if (lines.loss_range) report.also(*lines.loss_range, "the loss");
      report.help("use cross_entropy, or a model without auxiliary heads");
    } else if (!head->output.flat) {
      diagnostics.report(head->range, messages::kOutputNotFlat, head->path, to_text(head->output))
          .help("put 'flatten' or 'gap' before the last dense layer");
    } else if (head->output.channels != data.data.classes) {
      diagnostics
          .report(head->range, messages::kClassesDisagree, head->path, head->output.channels, data.data.name,
                  data.data.classes)
          .label(fmt::format("{} outputs", head->output.channels))
          .also(data.classes_range, fmt::format("{} classes", data.data.classes));
    }
  }
}

void check_metrics(const TrainLines& lines, const DataFacts& data, Diagnostics& diagnostics) {
  const auto classes = static_cast<std::size_t>(data.data.classes);
  const std::vector<double>& weights = lines.training.class_weights;
  if (!weights.empty() && weights.size() != classes) {
    diagnostics.report(*lines.loss_range, messages::kClassWeights, weights.size(), data.data.name, data.data.classes)
        .also(data.classes_range, fmt::format("{} classes", data.data.classes));
  }
  const auto top5 = lines.metric_ranges.find("top5");
  if (top5 == lines.metric_ranges.end() || classes >= 5) return;
  diagnostics.report(top5->second, messages::kTop5NeedsClasses, data.data.name, data.data.classes)
      .also(data.classes_range, fmt::format("{} classes", data.data.classes));
}

std::string channels_text(std::int64_t channels) {
  return fmt::format("{} channel{}", channels, channels == 1 ? "" : "s");
}

// Size and channels of the images, as prepared or as augmented. False after a message.
bool check_images(const ExpandedModel& model, const DataFacts& data, const ImageFacts& images, Diagnostics& diagnostics) {
  const ir::Shape& input = model.model.input;
  const std::string size = fmt::format("{}x{}", input.height, input.width);
  if (images.channels != input.channels) {
    auto report = diagnostics.report(model.input_range, messages::kChannelsDisagree, model.model.name, input.channels,
                                     data.data.name, images.channels);
    report.also(images.channels_range, channels_text(images.channels));
    if (input.channels == 3 && images.channels == 1) report.help("rgb in prepare repeats a gray channel");
    if (input.channels == 1 && images.channels == 3) report.help("grayscale in prepare makes one channel of three");
    return false;
  }
  if (images.sizes_differ) {
    diagnostics.report(images.size_range.value_or(data.source_range), messages::kSizesDiffer, data.data.name, model.model.name, size)
        .also(model.input_range, to_text(input))
        .help(images.size_range ? fmt::format("center_crop({}) after it", size) : fmt::format("prepare {{ resize({}) }}", size));
    return false;
  }
  if (!images.size || *images.size == std::pair(input.height, input.width)) return true;
  diagnostics.report(images.size_range.value_or(data.source_range), messages::kSizesDisagree, data.data.name,
                     fmt::format("{}x{}", images.size->first, images.size->second), model.model.name, size)
      .also(model.input_range, to_text(input))
      .help(fmt::format("resize({})", size));
  return false;
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
  if (!check_images(model, data, data.images, diagnostics)) return;
  if (data.augmented && !check_images(model, data, *data.augmented, diagnostics)) return;
  for (ir::Transform& transform : data.data.prepare) {
    if (transform.kind != ir::Transform::Kind::kNormalize) continue;
    const auto channels = static_cast<std::int64_t>(transform.mean.size());
    if (channels == 1) {
      transform.mean.resize(static_cast<std::size_t>(input.channels), transform.mean.front());
      transform.std_deviation.resize(static_cast<std::size_t>(input.channels), transform.std_deviation.front());
    } else if (channels != input.channels) {
      diagnostics
          .report(*data.normalize_range, messages::kNormalizeChannels, channels, model.model.name, input.channels)
          .also(model.input_range, channels_text(input.channels));
      return;
    }
  }
}

void check_monitors(const TrainLines& lines, const DataFacts& data, Diagnostics& diagnostics) {
  // A folder may have a validation part of its own; the program sees whether it does.
  if (data.data.validation.kind != ir::Split::Kind::kNone || data.data.source == ir::Data::Source::kFolder) return;
  for (const auto& [monitor, range] : lines.monitors) {
    if (!monitor.starts_with("val_")) continue;
    diagnostics.report(range, messages::kMonitorWithoutValidation, monitor, data.data.name)
        .also(data.source_range, "no validation part")
        .help("take one out of the training part: val=0.1");
  }
}

// The layers of a group with its settings; false after a message.
bool resolve_group(const GroupLine& line, const ExpandedModel& model, ir::Phase& phase) {
  const syntax::ParameterGroup& written = *line.written.line;
  auto layers = select_layers(written.selectors, "group", model.layers, *line.written.scope);
  if (!layers) return false;
  bool learns = false;
  for (std::size_t i = 0; i < layers->size(); ++i) {
    learns |= (*layers)[i] && model.layers[i].weighted && !phase.frozen[i];
  }
  if (!learns) {
    const FileScope& file = *line.written.scope->file;
    const InScope in_scope(*line.written.scope);
    file.diagnostics.report(written.selectors.front().range, messages::kGroupLearnsNothing, phase.name);
  }
  phase.groups.push_back({std::move(*layers), line.learning_rate, line.weight_decay});
  return true;
}

// False after a message.
bool resolve_phase(const TrainLines& train, const PhaseLines& lines, const ExpandedModel& model, ir::Phase& phase,
                   const FileScope& file) {
  phase = lines.phase;
  phase.frozen.assign(model.layers.size(), false);
  for (const auto& line : lines.freezing) {
    if (!apply_freezing(line, model.layers, phase.frozen)) return false;
  }
  bool learns = false;
  for (std::size_t i = 0; i < model.layers.size(); ++i) learns |= model.layers[i].weighted && !phase.frozen[i];
  if (!learns) {
    auto report = file.diagnostics.report(lines.range, messages::kNothingToTrain, phase.name, model.model.name);
    if (!lines.freezing.empty())
      report.help("unfreeze something after the last freeze: later lines win");
    else
      report.help("the model has no layer with weights, such as conv or dense");
    return false;
  }
  for (const auto* groups : {&train.groups, &lines.groups}) {
    for (const GroupLine& group : *groups) {
      if (!resolve_group(group, model, phase)) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<ir::Training> check_training(const TrainLines& lines, const ExpandedModel& model,
                                           DataFacts& data, const FileScope& file) {
  const int errors = file.diagnostics.errors();
  check_classes(model, data, file.diagnostics);
  check_loss(lines, model, file.diagnostics);
  check_heads(lines, model, data, file.diagnostics);
  check_metrics(lines, data, file.diagnostics);
  check_input(model, data, file.diagnostics);
  check_monitors(lines, data, file.diagnostics);
  ir::Training training = lines.training;
  for (const PhaseLines& phase : lines.phases) {
    training.phases.emplace_back();
    resolve_phase(lines, phase, model, training.phases.back(), file);
    for (const GroupLine& group : phase.groups) training.not_yet.push_back({group.written.line->config.range, "'group'"});
  }
  for (const GroupLine& group : lines.groups) training.not_yet.push_back({group.written.line->config.range, "'group'"});
  resolve_initial_weights(lines, model, training);
  return file.diagnostics.errors() == errors ? std::optional(std::move(training)) : std::nullopt;
}

}  // namespace cnnc::sema
