// Optimizers and schedules: from their calls to values.
#include <algorithm>

#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

// --set lr= stands for every optimizer's learning rate; false after a message.
bool override_learning_rate(ir::Optimizer& optimizer, const FileScope& file) {
  const auto given = file.override_of("lr");
  if (!given) return true;
  const auto rate = number_of(*given);
  if (!rate || *rate <= 0 || *rate > 1000) {
    file.diagnostics.report_general(messages::kWrongOverride, "lr", to_text(*given), "a number above 0, at most 1000");
    return false;
  }
  optimizer.learning_rate = *rate;
  return true;
}

std::optional<std::vector<std::int64_t>> milestones(const Chosen& chosen, Diagnostics& diagnostics) {
  std::vector<std::int64_t> list;
  for (const ir::Value& value : *chosen.arguments.values.at("at").as<ir::List>()) {
    const auto* epoch = value.as<std::int64_t>();
    if (epoch == nullptr || (!list.empty() && *epoch <= list.back())) {
      diagnostics.report(chosen.arguments.value_range("at"), messages::kWrongType, "at", "multistep",
                         "whole numbers that rise, such as [30, 60]", describe(chosen.arguments.values.at("at")));
      return std::nullopt;
    }
    list.push_back(*epoch);
  }
  return list;
}

}  // namespace

std::optional<ir::Optimizer> read_optimizer(const WrittenSetting& setting, const FileScope& file) {
  const InScope in_scope(setting.scope);
  const auto chosen = choose(optimizers(), "optimizer", *setting->value, setting.values(file), file);
  if (!chosen) return std::nullopt;
  using Kind = ir::Optimizer::Kind;
  static const std::map<std::string_view, Kind> kinds = {
      {"sgd", Kind::kSgd}, {"adam", Kind::kAdam}, {"adamw", Kind::kAdamw}, {"rmsprop", Kind::kRmsprop}};
  const ir::ArgumentValues& values = chosen->arguments.values;
  ir::Optimizer optimizer{.kind = kinds.at(chosen->callable->name),
                          .learning_rate = values.number("lr"),
                          .weight_decay = values.number("weight_decay")};
  if (!(optimizer.learning_rate > 0)) {
    file.diagnostics.report(*chosen->arguments.range("lr"), messages::kNoLearning);
    return std::nullopt;
  }
  if (values.has("momentum")) optimizer.momentum = values.number("momentum");
  if (values.has("nesterov")) optimizer.nesterov = values.boolean("nesterov");
  if (values.has("beta1")) optimizer.beta1 = values.number("beta1");
  if (values.has("beta2")) optimizer.beta2 = values.number("beta2");
  if (values.has("eps")) optimizer.epsilon = values.number("eps");
  if (values.has("smoothing")) optimizer.smoothing = values.number("smoothing");
  if (optimizer.nesterov && optimizer.momentum == 0) {
    file.diagnostics.report(*chosen->arguments.range("nesterov"), messages::kNesterovNeedsMomentum)
        .help("sgd(lr=0.1, momentum=0.9, nesterov=true)");
    return std::nullopt;
  }
  return override_learning_rate(optimizer, file) ? std::optional(optimizer) : std::nullopt;
}

std::optional<ir::Schedule> read_schedule(const WrittenSetting& setting, std::int64_t epochs, const FileScope& file) {
  const InScope in_scope(setting.scope);
  const auto chosen = choose(schedules(), "schedule", *setting->value, setting.values(file), file);
  if (!chosen) return std::nullopt;
  using Kind = ir::Schedule::Kind;
  static const std::map<std::string_view, Kind> kinds = {
      {"constant", Kind::kConstant}, {"warmup", Kind::kConstant}, {"step", Kind::kStep},
      {"multistep", Kind::kMultistep}, {"cosine", Kind::kCosine}, {"exponential", Kind::kExponential}};
  const ir::ArgumentValues& values = chosen->arguments.values;
  ir::Schedule schedule{.kind = kinds.at(chosen->callable->name), .milestones = {}};
  if (values.has("every")) schedule.every = values.integer("every");
  if (values.has("factor")) schedule.factor = values.number("factor");
  if (values.has("min_lr")) schedule.minimum = values.number("min_lr");
  schedule.warmup = values.integer(values.has("epochs") ? "epochs" : "warmup");
  if (values.has("at")) {
    auto list = milestones(*chosen, file.diagnostics);
    if (!list) return std::nullopt;
    schedule.milestones = std::move(*list);
  }
  const std::int64_t last = std::max(schedule.warmup, schedule.milestones.empty() ? 0 : schedule.milestones.back() + 1);
  if (last > epochs) {
    file.diagnostics.report(chosen->range, messages::kScheduleTooLong, last, epochs)
        .help("a schedule spans its phase: give the phase more epochs, or the schedule less");
    return std::nullopt;
  }
  return schedule;
}

}  // namespace cnnc::sema
