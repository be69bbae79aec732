// Writes data and training back.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_set>
#include <optional>
#include <utility>

#include "sema/render.hpp"

namespace cnnc::sema {

namespace {

std::string text(const std::string& string) {
  return to_text(ir::Value{string});
}

std::string number(double value) {
  return to_text(ir::Value{value});
}

std::string numbers(const std::vector<double>& values) {
  std::vector<std::string> words;
  for (const double value : values) words.push_back(number(value));
  return fmt::format("[{}]", fmt::join(words, ", "));
}

std::string split(std::string_view name, const ir::Split& split) {
  switch (split.kind) {
    case ir::Split::Kind::kNone: return "";
    case ir::Split::Kind::kFraction: return fmt::format(", {}={}", name, number(split.fraction));
    case ir::Split::Kind::kCount: return fmt::format(", {}={}", name, split.count);
    case ir::Split::Kind::kTest: return fmt::format(", {}=test", name);
  }
  return "";
}

std::string transform(const ir::Transform& transform) {
  if (transform.kind == ir::Transform::Kind::kResize) return fmt::format("resize({}x{})", transform.height, transform.width);
  if (transform.kind == ir::Transform::Kind::kNormalize) {
    return fmt::format("normalize(mean={}, std={})", numbers(transform.mean), numbers(transform.std_deviation));
  }
  std::vector<std::string> arguments;
  for (const auto& [name, value] : transform.arguments.all()) {
    const auto* word = value.as<ir::Word>();
    if (word == nullptr || word->text != "none") arguments.push_back(fmt::format("{}={}", name, to_text(value)));
  }
  return arguments.empty() ? transform.name : fmt::format("{}({})", transform.name, fmt::join(arguments, ", "));
}

std::string transforms(std::string_view kind, const std::vector<ir::Transform>& list) {
  if (list.empty()) return "";
  std::string lines = fmt::format("  {} {{\n", kind);
  for (const ir::Transform& one : list) lines += fmt::format("    {}\n", transform(one));
  return lines + "  }\n";
}

std::string_view source(ir::Data::Source source) {
  switch (source) {
    case ir::Data::Source::kIdx: return "idx";
    case ir::Data::Source::kCifar10: return "cifar10";
    case ir::Data::Source::kFolder: return "folder";
    case ir::Data::Source::kList: return "list";
  }
  return "";
}

std::string optimizer(const ir::Optimizer& o) {
  const std::string rate = fmt::format("lr={}", number(o.learning_rate)), decay = fmt::format("weight_decay={}", number(o.weight_decay));
  switch (o.kind) {
    case ir::Optimizer::Kind::kSgd:
      return fmt::format("sgd({}, momentum={}, nesterov={}, {})", rate, number(o.momentum), o.nesterov, decay);
    case ir::Optimizer::Kind::kRmsprop:
      return fmt::format("rmsprop({}, smoothing={}, eps={}, momentum={}, {})", rate, number(o.smoothing), number(o.epsilon),
                         number(o.momentum), decay);
    case ir::Optimizer::Kind::kAdam:
    case ir::Optimizer::Kind::kAdamw:
      return fmt::format("{}({}, beta1={}, beta2={}, eps={}, {})", o.kind == ir::Optimizer::Kind::kAdam ? "adam" : "adamw", rate,
                         number(o.beta1), number(o.beta2), number(o.epsilon), decay);
  }
  return "";
}

std::string schedule(const ir::Schedule& s) {
  const std::string factor = fmt::format("factor={}", number(s.factor)), warmup = fmt::format("warmup={}", s.warmup);
  switch (s.kind) {
    case ir::Schedule::Kind::kConstant: return fmt::format("constant({})", warmup);
    case ir::Schedule::Kind::kStep: return fmt::format("step({}, {}, {})", s.every, factor, warmup);
    case ir::Schedule::Kind::kMultistep:
      return fmt::format("multistep([{}], {}, {})", fmt::join(s.milestones, ", "), factor, warmup);
    case ir::Schedule::Kind::kCosine: return fmt::format("cosine(min_lr={}, {})", number(s.minimum), warmup);
    case ir::Schedule::Kind::kExponential: return fmt::format("exponential({}, {})", factor, warmup);
  }
  return "";
}

std::string loss(const ir::Training& training) {
  switch (training.loss) {
    case ir::Loss::kCrossEntropy:
      return fmt::format("cross_entropy(label_smoothing={}, class_weights={})", number(training.label_smoothing),
                         numbers(training.class_weights));
    case ir::Loss::kMeanSquaredError: return "mse";
    case ir::Loss::kBinaryCrossEntropy: return "binary_cross_entropy";
    case ir::Loss::kLenet5Map: return fmt::format("lenet5_map(j={})", number(training.rubbish_penalty));
  }
  return "";
}

std::string callbacks(const ir::Callbacks& callbacks, std::string_view indent) {
  std::string lines;
  for (const ir::EarlyStop& one : callbacks.early_stops) {
    lines += fmt::format("{}early_stop({}, patience={}, min_delta={}, restore={})\n", indent, one.monitor, one.patience,
                         number(one.min_delta), one.restore_best ? "best" : "none");
  }
  for (const ir::ReduceLearningRate& one : callbacks.reductions) {
    lines += fmt::format("{}reduce_lr({}, factor={}, patience={}, min_delta={}, min_lr={})\n", indent, one.monitor,
                         number(one.factor), one.patience, number(one.min_delta), number(one.minimum));
  }
  for (const ir::Checkpoint& one : callbacks.checkpoints) {
    lines += fmt::format("{}checkpoint({}, monitor={})\n", indent, text(one.file), one.monitor);
  }
  return lines;
}

std::string group(const ir::ParameterGroup& group, const std::vector<std::string>& layers) {
  std::string settings;
  if (group.learning_rate) settings += fmt::format(" lr = {}", number(*group.learning_rate));
  if (group.weight_decay) settings += fmt::format(" weight_decay = {}", number(*group.weight_decay));
  return fmt::format("    group {} {{{} }}\n", covering_paths(group.layers, layers), settings);
}

std::string phase(const ir::Phase& phase, const std::vector<std::string>& layers) {
  std::string lines = fmt::format("  phase {} {{\n", phase.name);
  const std::string frozen = covering_paths(phase.frozen, layers);
  if (!frozen.empty()) lines += fmt::format("    freeze {}\n", frozen);
  lines += fmt::format("    epochs = {}\n", phase.epochs);
  if (phase.optimizer) lines += fmt::format("    optimizer = {}\n", optimizer(*phase.optimizer));
  lines += fmt::format("    schedule = {}\n", schedule(phase.schedule));
  if (phase.clip_norm > 0) lines += fmt::format("    clip_norm = {}\n", number(phase.clip_norm));
  if (phase.updates_frozen_statistics) lines += "    bn_stats = update\n";
  for (const ir::ParameterGroup& one : phase.groups) lines += group(one, layers);
  return lines + callbacks(phase.callbacks, "    ") + "  }\n";
}

void add_paths(const Sequence& sequence, std::vector<std::string>& paths) {
  for (const Item& item : sequence) {
    if (const auto* call = std::get_if<LayerCall>(&item.form)) {
      paths.push_back(call->layer.path);
    } else if (const auto* merge = std::get_if<Merge>(&item.form)) {
      for (const Sequence& arm : merge->arms) add_paths(arm, paths);
      paths.push_back(merge->layer.path);
    } else if (const auto* section = std::get_if<Section>(&item.form)) {
      add_paths(section->body, paths);
    } else if (const auto* head = std::get_if<Auxiliary>(&item.form)) {
      add_paths(head->body, paths);
    }
  }
}

// "dense4[10]" -> "dense4" and 10; none where the path ends otherwise.
std::optional<std::pair<std::string, std::size_t>> round_at_end(const std::string& path) {
  if (!path.ends_with(']')) return std::nullopt;
  const std::size_t open = path.rfind('[');
  return std::pair(path.substr(0, open), std::stoull(path.substr(open + 1)));
}

// A layer's path and what it lies in, from the inside out: a.b[2].c, a.b[2], a.b, a.
std::vector<std::string> parts_around(const std::string& path) {
  std::vector<std::string> parts{path};
  for (std::size_t end = path.find_last_of(".["); end != std::string::npos && end > 0; end = path.find_last_of(".[", end - 1)) {
    parts.push_back(path.substr(0, end));
  }
  return parts;
}

}  // namespace

std::string render_data(const Program& program) {
  if (!program.data) return "";
  const ir::Data& data = *program.data;
  std::string lines = fmt::format("data {} {{\n  source = {}({}{}{})\n", data.name, source(data.source), text(data.directory),
                                  split("val", data.validation), split("test", data.test));
  if (data.class_names.empty()) {
    lines += fmt::format("  classes = {}\n", data.classes);
  } else {
    std::vector<std::string> names;
    for (const std::string& name : data.class_names) names.push_back(text(name));
    lines += fmt::format("  classes = [{}]\n", fmt::join(names, ", "));
  }
  lines += transforms("prepare", data.prepare) + transforms("augment", data.augment);
  return lines + "}\n";
}

std::vector<std::string> layer_paths(const Model& model) {
  std::vector<std::string> paths;
  add_paths(model.body, paths);
  return paths;
}

// a[0], a[1], a[2] in a row as a[0:3].
std::vector<std::string> with_slices(const std::vector<std::string>& paths) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < paths.size();) {
    const auto first = round_at_end(paths[i]);
    std::size_t end = i + 1;
    while (first && end < paths.size()) {
      const auto next = round_at_end(paths[end]);
      if (!next || next->first != first->first || next->second != first->second + (end - i)) break;
      ++end;
    }
    result.push_back(end - i > 1 ? fmt::format("{}[{}:{}]", first->first, first->second, first->second + (end - i)) : paths[i]);
    i = end;
  }
  return result;
}

// The longest paths upward under which everything is flagged.
std::string covering_paths(const std::vector<bool>& flags, const std::vector<std::string>& layers) {
  std::unordered_set<std::string> mixed;  // parts with a layer that is not flagged
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (flags[i]) continue;
    for (std::string& part : parts_around(layers[i])) mixed.insert(std::move(part));
  }
  std::vector<std::string> chosen;
  std::unordered_set<std::string> covered;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!flags[i]) continue;
    const auto parts = parts_around(layers[i]);
    // A named merge whose branches are not all flagged: its path would mean them, too, and a merge has nothing that learns.
    if (mixed.contains(parts[0])) continue;
    std::size_t outermost = 0;
    while (outermost + 1 < parts.size() && !mixed.contains(parts[outermost + 1])) ++outermost;
    if (covered.insert(parts[outermost]).second) chosen.push_back(parts[outermost]);
  }
  return fmt::format("{}", fmt::join(chosen, ", "));
}

std::string render_training(const Program& program) {
  if (!program.training) return "";
  const ir::Training& training = *program.training;
  std::string lines = fmt::format("train {} on {} {{\n  loss = {}\n  metrics = [{}]\n  batch = {}\n  seed = {}\n  precision = {}\n  save_every = {}\n",
                                  program.model.name, training.data_name, loss(training), fmt::join(training.metrics, ", "),
                                  training.batch, training.seed,
                                  training.precision == ir::Precision::kStrict ? "strict" : "fast", training.save_every);
  for (const ir::InitialWeights& one : training.initial_weights) {
    const std::string section = one.section.empty() ? "" : fmt::format(", section={}", text(one.section));
    lines += fmt::format("  init {} from {}(match={}{})\n", one.path, text(one.file), one.by_order ? "order" : "name", section);
  }
  lines += callbacks(training.callbacks, "  ");
  const auto layers = layer_paths(program.model);
  for (const ir::Phase& one : training.phases) lines += phase(one, layers);
  return lines + "}\n";
}

std::string render(const Program& program) {
  std::string text = "cnn 1\n\n" + render_model(program.model);
  for (const std::string& part : {render_data(program), render_training(program)}) {
    if (!part.empty()) text += "\n" + part;
  }
  return text;
}

}  // namespace cnnc::sema
