// The tables of what a train may say. Defaults are PyTorch's.
#include "sema/reference.hpp"

namespace cnnc::sema {

namespace {

using ir::ArgumentDef;
using ir::ArgumentType;
using ir::Value;

constexpr double kBelowOne = 0.9999999999;
constexpr double kMost = 1e9;

ArgumentDef number(std::string_view name, double default_value, double minimum, double maximum, std::string_view summary) {
  return {.name = name,
          .type = ArgumentType::kNumber,
          .default_value = Value{default_value},
          .summary = summary,
          .minimum = minimum,
          .maximum = maximum};
}

ArgumentDef count(std::string_view name, std::optional<std::int64_t> default_value, double minimum, std::string_view summary,
                  bool positional = false) {
  return {.name = name,
          .type = ArgumentType::kInteger,
          .default_value = default_value ? std::optional(Value{*default_value}) : std::nullopt,
          .summary = summary,
          .positional = positional,
          .minimum = minimum,
          .maximum = kMost};
}

ArgumentDef learning_rate() {
  return {.name = "lr",
          .type = ArgumentType::kNumber,
          .default_value = {},
          .summary = "The learning rate; it is always written.",
          .positional = true,
          .minimum = 0,
          .maximum = 1000};
}

ArgumentDef weight_decay(double default_value) {
  return number("weight_decay", default_value, 0, 1000, "How much every parameter is drawn to 0, biases included.");
}

std::vector<ArgumentDef> adam_arguments(double decay) {
  return {learning_rate(), number("beta1", 0.9, 0, kBelowOne, "Of the mean of gradients."),
          number("beta2", 0.999, 0, kBelowOne, "Of the mean of their squares."),
          number("eps", 1e-8, 0, 1, "Added to the root of the mean of squares."), weight_decay(decay)};
}

ArgumentDef monitor(bool positional) {
  return {.name = "monitor",
          .type = ArgumentType::kWord,
          .default_value = {},
          .summary = "The figure that is watched.",
          .positional = positional,
          .choices = {"val_loss", "val_accuracy", "train_loss", "train_accuracy"}};
}

ArgumentDef average() {
  return {.name = "average",
          .type = ArgumentType::kWord,
          .default_value = Value{ir::Word{"macro"}},
          .summary = "macro: the mean over classes; weighted: by their sizes; micro: all images alike.",
          .positional = true,
          .choices = {"macro", "weighted", "micro"}};
}

ArgumentDef warmup() {
  return count("warmup", 0, 0, "Epochs in which the rate first grows linearly from 0.");
}

ArgumentDef factor(std::optional<double> default_value) {
  return {.name = "factor",
          .type = ArgumentType::kNumber,
          .default_value = default_value ? std::optional(Value{*default_value}) : std::nullopt,
          .summary = "What the rate is multiplied by.",
          .minimum = 1e-12,
          .maximum = 1};
}

}  // namespace

const std::vector<Callable>& losses() {
  static const std::vector<Callable> table = {
      {"cross_entropy",
       "Of the softmax of the outputs against the class; a final softmax is fused with it.",
       {number("label_smoothing", 0, 0, kBelowOne, "The share of the target that goes to all classes alike."),
        {.name = "class_weights",
         .type = ArgumentType::kNumbers,
         .default_value = Value{ir::List{}},
         .summary = "What each class counts; one number a class.",
         .minimum = 0,
         .maximum = 1e9}}},
      {"binary_cross_entropy", "Of independent probabilities, after a final sigmoid."},
      {"mse", "The mean of squared differences from the class as zeros and a one."},
      {"lenet5_map", "LeNet-5's maximum a posteriori criterion over RBF outputs (LeCun et al. 1998, equation 9).",
       {number("j", 1, 0, 1e6,
               "The penalty of an imagined rubbish class: wrong classes further away than that are left alone.")}},
  };
  return table;
}

const std::vector<Callable>& metrics() {
  static const std::vector<Callable> table = {
      {"accuracy", "The share of images whose class is the first."},
      {"top5", "The share of images whose class is among the first five."},
      {"precision", "Of those given a class, how many are of it.", {average()}},
      {"recall", "Of those of a class, how many are given it.", {average()}},
      {"f1", "The harmonic mean of precision and recall.", {average()}},
      {"auc", "The area under the receiver operating characteristic, one class against the rest.", {average()}},
      {"confusion", "How many images of each class were given each class."},
  };
  return table;
}

const std::vector<Callable>& optimizers() {
  static const std::vector<Callable> table = {
      {"sgd",
       "Stochastic gradient descent.",
       {learning_rate(), number("momentum", 0, 0, kBelowOne, "The share of the last step that goes on."),
        {.name = "nesterov",
         .type = ArgumentType::kBoolean,
         .default_value = Value{false},
         .summary = "Looks ahead along the momentum."},
        weight_decay(0)}},
      {"adam", "Adam (Kingma and Ba 2015).", adam_arguments(0)},
      {"adamw", "Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).", adam_arguments(0.01)},
      {"rmsprop",
       "Steps divided by the root of a running mean of squared gradients.",
       {learning_rate(), number("smoothing", 0.99, 0, kBelowOne, "Of the mean of squares; PyTorch's alpha."),
        number("eps", 1e-8, 0, 1, "Added to that root."),
        number("momentum", 0, 0, kBelowOne, "The share of the last step that goes on."), weight_decay(0)}},
  };
  return table;
}

const std::vector<Callable>& schedules() {
  static const std::vector<Callable> table = {
      {"constant", "The optimizer's rate all along.", {warmup()}},
      {"warmup", "Grows linearly from 0 over some epochs, then constant.", {count("epochs", {}, 1, "How many.", true)}},
      {"step",
       "Multiplied by a factor every so many epochs.",
       {count("every", {}, 1, "Epochs.", true), factor(0.1), warmup()}},
      {"multistep",
       "Multiplied by a factor at certain epochs.",
       {{.name = "at",
         .type = ArgumentType::kNumbers,
         .default_value = {},
         .summary = "The epochs, from 1, rising: [30, 60, 80].",
         .positional = true,
         .minimum = 1,
         .maximum = kMost},
        factor(0.1), warmup()}},
      {"cosine",
       "Falls along half a cosine to `min_lr` at the phase's end.",
       {number("min_lr", 0, 0, 1000, "The rate at the end."), warmup()}},
      {"exponential", "Multiplied by a factor after every epoch.", {factor({}), warmup()}},
  };
  return table;
}

const std::vector<Callable>& callbacks() {
  static const std::vector<Callable> table = {
      {"early_stop",
       "Ends the phase when the figure has not become better for some epochs.",
       {monitor(true), count("patience", {}, 1, "Epochs without a better figure."),
        number("min_delta", 0, 0, 1e9, "What counts as better."),
        {.name = "restore",
         .type = ArgumentType::kWord,
         .default_value = Value{ir::Word{"none"}},
         .summary = "best: puts the phase's best weights back, with their optimizer state.",
         .choices = {"none", "best"}}}},
      {"reduce_lr",
       "Multiplies the learning rate when the figure has not become better for some epochs.",
       {monitor(true), factor(0.1), count("patience", 10, 1, "Epochs without a better figure."),
        number("min_delta", 1e-4, 0, 1e9, "What counts as better."), number("min_lr", 0, 0, 1000, "The rate never falls below.")}},
      {"checkpoint",
       "Writes the weights whenever the figure is the best so far, below --out.",
       {{.name = "file",
         .type = ArgumentType::kText,
         .default_value = {},
         .summary = "The file's name, without a folder.",
         .positional = true},
        monitor(false)}},
  };
  return table;
}

const std::vector<SettingFacts>& train_settings() {
  static const std::vector<SettingFacts> table = {
      {"loss", "What is made small; cross_entropy if not given."},
      {"metrics", "What is measured beside the loss; [accuracy] if not given."},
      {"optimizer", "That of the first phase, where it has none of its own."},
      {"schedule", "That of every phase that has none of its own."},
      {"epochs", "Passes over the training part, for every phase that does not say."},
      {"batch", "Images a step; that of the data if not given."},
      {"seed", "Of all random numbers; 0 if not given."},
      {"precision", "fast: results within 1e-3 of the definition's; strict: within 1e-5, and slower. fast if not given."},
      {"clip_norm", "The largest norm of all gradients together, for every phase that does not say."},
      {"save_every", "Steps between saved states, beside those at the end of each epoch."},
  };
  return table;
}

const std::vector<SettingFacts>& phase_settings() {
  static const std::vector<SettingFacts> table = {
      {"epochs", "Passes over the training part."},
      {"optimizer", "A fresh one; without it the one before goes on with its state."},
      {"schedule", "Over this phase's epochs."},
      {"clip_norm", "The largest norm of all gradients together."},
      {"bn_stats", "update: frozen bn layers go on with their running statistics."},
  };
  return table;
}

const std::vector<SettingFacts>& group_settings() {
  static const std::vector<SettingFacts> table = {
      {"lr", "The learning rate of these layers, before the schedule."},
      {"weight_decay", "That of these layers."},
  };
  return table;
}

}  // namespace cnnc::sema
