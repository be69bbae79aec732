// The optimizers and their arguments. Defaults are PyTorch's, but a learning rate is always written.
#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/foreign_names.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

using ir::ArgumentDef;
using ir::ArgumentType;
using ir::Value;

ArgumentDef number(std::string_view name, double default_value, double minimum, double maximum) {
  return {.name = name,
          .type = ArgumentType::kNumber,
          .default_value = Value{default_value},
          .summary = "",
          .positional = false,
          .minimum = minimum,
          .maximum = maximum};
}

const ArgumentDef kLearningRate{.name = "lr",
                                .type = ArgumentType::kNumber,
                                .default_value = {},
                                .summary = "",
                                .positional = true,
                                .minimum = 0,
                                .maximum = 1000};
constexpr double kBelowOne = 0.9999999999;

std::vector<ArgumentDef> adam_arguments(double weight_decay) {
  return {kLearningRate, number("beta1", 0.9, 0, kBelowOne), number("beta2", 0.999, 0, kBelowOne),
          number("eps", 1e-8, 0, 1), number("weight_decay", weight_decay, 0, 1000)};
}

struct Choice {
  std::string_view name;
  ir::Optimizer::Kind kind;
  std::vector<ArgumentDef> arguments;
};

const std::vector<Choice>& choices() {
  static const std::vector<Choice> list = {
      {"sgd",
       ir::Optimizer::Kind::kSgd,
       {kLearningRate,
        number("momentum", 0, 0, kBelowOne),
        {.name = "nesterov", .type = ArgumentType::kBoolean, .default_value = Value{false}, .summary = ""},
        number("weight_decay", 0, 0, 1000)}},
      {"adam", ir::Optimizer::Kind::kAdam, adam_arguments(0)},
      {"adamw", ir::Optimizer::Kind::kAdamw, adam_arguments(0.01)}};
  return list;
}

void report_unknown(const syntax::Expression& expression, const std::string& name, const FileScope& file) {
  if (name == "rmsprop") {
    file.diagnostics.report(expression.range, messages::kNotYetSupported, "the optimizer 'rmsprop'");
    return;
  }
  auto report = file.diagnostics.report(expression.range, messages::kUnknownOptimizer,
                                        file.sources.text(expression.range));
  const std::vector<std::string_view> names{"sgd", "adam", "adamw"};
  if (const auto foreign = foreign_word("optimizer", name); !foreign.empty())
    report.help(std::string(foreign));
  else if (const auto near = nearest(name, names); !near.empty())
    report.help(fmt::format("did you mean {}?", near));
  else
    report.help("the optimizers are sgd(lr=0.1, momentum=0.9), adam(lr=1e-3) and adamw(lr=1e-3)");
}

// --set lr= stands for every learning rate; false after a message.
bool override_learning_rate(ir::Optimizer& optimizer, const FileScope& file) {
  const auto given = file.override_of("lr");
  if (!given) return true;
  const auto rate = number_of(*given);
  if (!rate || *rate <= 0 || *rate > 1000) {
    file.diagnostics.report_general(messages::kWrongOverride, "lr", to_text(*given),
                                    "a number above 0, at most 1000");
    return false;
  }
  optimizer.learning_rate = *rate;
  return true;
}

}  // namespace

std::optional<ir::Optimizer> read_optimizer(const syntax::Expression& expression, const FileScope& file) {
  const auto* call = std::get_if<syntax::Reference>(&expression.form);
  const std::string name = call ? call->name.text : "";
  const auto choice = std::ranges::find(choices(), name, &Choice::name);
  if (choice == choices().end()) {
    report_unknown(expression, name, file);
    return std::nullopt;
  }
  const auto checked = check_arguments({choice->name, call->name.range, choice->arguments}, call->arguments,
                                       file.ops, {file.values, nullptr}, file.diagnostics);
  if (!checked) return std::nullopt;
  const ir::ArgumentValues& values = checked->values;
  ir::Optimizer optimizer{.kind = choice->kind,
                          .learning_rate = values.number("lr"),
                          .weight_decay = values.number("weight_decay")};
  if (!(optimizer.learning_rate > 0)) {
    file.diagnostics.report(*checked->range("lr"), messages::kNoLearning);
    return std::nullopt;
  }
  if (choice->kind == ir::Optimizer::Kind::kSgd) {
    optimizer.momentum = values.number("momentum");
    optimizer.nesterov = values.boolean("nesterov");
    if (optimizer.nesterov && optimizer.momentum == 0) {
      file.diagnostics.report(*checked->range("nesterov"), messages::kNesterovNeedsMomentum)
          .help("sgd(lr=0.1, momentum=0.9, nesterov=true)");
      return std::nullopt;
    }
  } else {
    optimizer.beta1 = values.number("beta1");
    optimizer.beta2 = values.number("beta2");
    optimizer.epsilon = values.number("eps");
  }
  return override_learning_rate(optimizer, file) ? std::optional(optimizer) : std::nullopt;
}

}  // namespace cnnc::sema
