// The tables of what data may say: sources, transforms, settings.
#include "sema/reference.hpp"

#include <algorithm>

namespace cnnc::sema {

namespace {

using ir::ArgumentDef;
using ir::ArgumentType;
using ir::Value;

const Value kNone{ir::Word{"none"}};

std::vector<ArgumentDef> source_arguments(std::string_view name, std::string_view summary) {
  return {{.name = name, .type = ArgumentType::kText, .default_value = {}, .summary = summary, .positional = true},
          {.name = "val",
           .type = ArgumentType::kPart,
           .default_value = kNone,
           .summary = "What of the training part becomes the validation part, each class alike; test: the test part serves.",
           .choices = {"test"}},
          {.name = "test",
           .type = ArgumentType::kPart,
           .default_value = kNone,
           .summary = "What of the training part becomes the test part; where the files have one, nothing."}};
}

ArgumentDef size(std::string_view summary, std::optional<Value> default_value = {}) {
  return {.name = "size",
          .type = ArgumentType::kPair,
          .default_value = std::move(default_value),
          .summary = summary,
          .positional = true,
          .minimum = 1,
          .maximum = 65536};
}

ArgumentDef amount(std::string_view name, double most, std::string_view summary) {
  return {.name = name,
          .type = ArgumentType::kNumber,
          .default_value = {},
          .summary = summary,
          .positional = true,
          .minimum = 0,
          .maximum = most};
}

ArgumentDef probability() {
  return {.name = "p",
          .type = ArgumentType::kNumber,
          .default_value = Value{0.5},
          .summary = "How likely an image is turned over.",
          .minimum = 0,
          .maximum = 1};
}

ArgumentDef margin(bool positional) {
  return {.name = positional ? "amount" : "pad",
          .type = ArgumentType::kInteger,
          .default_value = positional ? std::nullopt : std::optional(Value{std::int64_t{0}}),
          .summary = positional ? "Zeros on each side." : "Zeros on each side before the crop.",
          .positional = positional,
          .minimum = 0,
          .maximum = 65536};
}

ArgumentDef statistic(std::string_view name, std::string_view summary) {
  return {.name = name, .type = ArgumentType::kNumbers, .default_value = kNone, .summary = summary};
}

constexpr std::string_view kRandom[] = {"random_crop", "rotate", "shift", "zoom", "hflip", "vflip", "brightness", "contrast"};

}  // namespace

const std::vector<Callable>& data_sources() {
  static const std::vector<Callable> table = {
      {"idx", "A folder in the format of MNIST and its family, gzip or plain.",
       source_arguments("directory", "The folder.")},
      {"cifar10", "A folder with CIFAR-10's binary version.", source_arguments("directory", "The folder.")},
      {"folder", "A folder for each class with JPEG and PNG files, or folders train, val and test of such folders.",
       source_arguments("directory", "The folder.")},
      {"list", "A CSV file with a path and a class on each line.",
       source_arguments("file", "The CSV file; its paths are relative to it.")},
  };
  return table;
}

const std::vector<Callable>& transforms() {
  static const std::vector<Callable> table = {
      {"resize",
       "To a size, or its shorter side to a length; bilinear with antialiasing, as PIL and torchvision do it.",
       {size("Height x width.", kNone),
        {.name = "short",
         .type = ArgumentType::kInteger,
         .default_value = kNone,
         .summary = "The shorter side; the other one keeps the proportion.",
         .minimum = 1,
         .maximum = 65536}}},
      {"center_crop", "The middle of the image.", {size("Height x width.")}},
      {"pad", "Zeros around the image.", {margin(true)}},
      {"grayscale", "To one channel: 0.299 red + 0.587 green + 0.114 blue."},
      {"rgb", "To three channels; gray ones are repeated."},
      {"normalize",
       "(pixel - mean) / std for each channel, pixels from 0 to 1.",
       {{.name = "statistics",
         .type = ArgumentType::kWord,
         .default_value = kNone,
         .summary = "imagenet: the mean and std of ImageNet's training images.",
         .positional = true,
         .choices = {"imagenet"}},
        statistic("mean", "A number, or one a channel."), statistic("std", "A number above 0, or one a channel.")}},
      {"random_crop", "A part of the image at a random place.", {size("Height x width."), margin(false)}},
      {"rotate", "By a random angle.", {amount("degrees", 180, "The largest angle, to both sides.")}},
      {"shift", "By a random distance.", {amount("fraction", 1, "The largest distance, of height and of width.")}},
      {"zoom", "By a random factor.", {amount("fraction", 0.99, "From 1 - fraction to 1 + fraction.")}},
      {"hflip", "Left and right change places.", {probability()}},
      {"vflip", "Top and bottom change places.", {probability()}},
      {"brightness", "Times a random factor.", {amount("fraction", 1, "From 1 - fraction to 1 + fraction.")}},
      {"contrast", "Away from or towards the mean by a random factor.", {amount("fraction", 1, "From 1 - fraction to 1 + fraction.")}},
  };
  return table;
}

bool is_random_transform(std::string_view name) {
  return std::ranges::find(kRandom, name) != std::end(kRandom);
}

const std::vector<SettingFacts>& data_settings() {
  static const std::vector<SettingFacts> table = {
      {"source", "Where the images are."},
      {"classes", "Their number, or a list of their names."},
      {"batch", "Images a step, for every train that does not say."},
  };
  return table;
}

}  // namespace cnnc::sema
