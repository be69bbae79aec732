// Reads a data item: its source and split, its classes, its transforms.
#include "sema/data.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/settings.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

using ir::ArgumentDef;
using ir::ArgumentType;
using ir::Value;

const Value kAbsent{ir::Word{"none"}};
const std::vector<ArgumentDef> kIdxArguments = {
    {.name = "directory",
     .type = ArgumentType::kWord,
     .default_value = {},
     .summary = "",
     .positional = true},
    {.name = "val", .type = ArgumentType::kWord, .default_value = kAbsent, .summary = ""},
    {.name = "test", .type = ArgumentType::kWord, .default_value = kAbsent, .summary = ""}};
const std::vector<ArgumentDef> kResizeArguments = {
    {.name = "size",
     .type = ArgumentType::kPair,
     .default_value = kAbsent,
     .summary = "",
     .positional = true},
    {.name = "short", .type = ArgumentType::kInteger, .default_value = kAbsent, .summary = ""}};
const std::vector<ArgumentDef> kNormalizeArguments = {
    {.name = "statistics",
     .type = ArgumentType::kWord,
     .default_value = kAbsent,
     .summary = "",
     .positional = true},
    {.name = "mean", .type = ArgumentType::kNumber, .default_value = kAbsent, .summary = ""},
    {.name = "std", .type = ArgumentType::kNumber, .default_value = kAbsent, .summary = ""}};

constexpr std::string_view kLaterSources[] = {"cifar10", "folder", "list"};
constexpr std::string_view kLaterTransforms[] = {"center_crop", "random_crop", "pad",        "grayscale",
                                                 "rgb",         "rotate",      "shift",      "zoom",
                                                 "hflip",       "vflip",       "brightness", "contrast"};
constexpr std::int64_t kMaxImageSide = 65536;

class DataReader {
 public:
  DataReader(const FileScope& file, DataFacts& facts)
      : file_(file), diagnostics_(file.diagnostics), facts_(facts) {}

  void source(const syntax::Setting& setting) {
    facts_.source_range = setting.value->range;
    const auto* call = std::get_if<syntax::Reference>(&setting.value->form);
    const std::string name = call ? call->name.text : "";
    if (std::ranges::find(kLaterSources, name) != std::end(kLaterSources)) {
      diagnostics_.report(call->name.range, messages::kNotYetSupported,
                          fmt::format("the data source '{}'", name));
      return;
    }
    if (name != "idx") {
      diagnostics_.report(setting.value->range, messages::kUnknownSource)
          .help("write source = idx(\"DIR\", val=0.1)");
      return;
    }
    const Callee callee{"idx", call->name.range, kIdxArguments};
    const auto bound = bind_arguments(callee, call->arguments, diagnostics_);
    if (!bound) return;
    directory(*(*bound)[0]->value);
    if ((*bound)[1] != nullptr) facts_.data.validation = split(*(*bound)[1]->value, "val");
    if ((*bound)[2] != nullptr) facts_.data.test = split(*(*bound)[2]->value, "test");
  }

  void classes(const syntax::Setting& setting) {
    facts_.classes_range = setting.value->range;
    const auto value = setting_value(setting, file_);
    if (!value) return;
    if (const auto* count = value->as<std::int64_t>();
        count != nullptr && *count >= 2 && *count <= 1'000'000) {
      facts_.data.classes = *count;
      return;
    }
    if (const auto* list = value->as<ir::List>();
        list != nullptr && list->size() >= 2 && class_names(*list, setting))
      return;
    if (!facts_.data.class_names.empty()) return;
    diagnostics_.report(setting.value->range, messages::kWrongSetting, "classes",
                        "a number of at least 2 or a list of names", describe(*value));
  }

  void transforms(const syntax::Transforms& transforms) {
    if (transforms.kind.text != "prepare") {
      diagnostics_.report(transforms.kind.range, messages::kNotYetSupported,
                          fmt::format("'{}'", transforms.kind.text));
      return;
    }
    for (const syntax::Statement& statement : transforms.body.statements) {
      const auto* layer = std::get_if<syntax::LayerStatement>(&statement.form);
      if (layer == nullptr || layer->name) {
        diagnostics_.report(statement.range, messages::kNotATransform)
            .help("prepare { resize(32x32) -> normalize(mean=0.5, std=0.5) }");
        continue;
      }
      for (const syntax::Step& step : layer->steps) transform(step);
    }
  }

 private:
  Environment environment() const { return {file_.values, nullptr}; }

  void directory(const syntax::Expression& expression) {
    const auto value = evaluate(expression, environment(), diagnostics_);
    if (!value) return;
    const auto* text = value->as<std::string>();
    if (text != nullptr && !text->empty())
      facts_.data.directory = *text;
    else
      diagnostics_.report(expression.range, messages::kWrongType, "directory", "idx", "a folder in quotes",
                          describe(*value));
  }

  ir::Split split(const syntax::Expression& expression, std::string_view part) {
    const auto value = evaluate(expression, environment(), diagnostics_);
    if (!value) return {};
    const auto* word = value->as<ir::Word>();
    if (part == "val" && word != nullptr && word->text == "test") {
      diagnostics_.report(expression.range, messages::kTestAsValidation)
          .help("val=0.1 takes a tenth of the training part instead");
      return {.kind = ir::Split::Kind::kTest};
    }
    if (const auto* count = value->as<std::int64_t>(); count != nullptr && *count >= 1) {
      return {.kind = ir::Split::Kind::kCount, .count = *count};
    }
    if (const auto* fraction = value->as<double>(); fraction != nullptr && *fraction > 0 && *fraction < 1) {
      return {.kind = ir::Split::Kind::kFraction, .fraction = *fraction};
    }
    const std::string wanted = fmt::format("a fraction between 0 and 1{} a count of images{}",
                                           part == "val" ? "," : " or", part == "val" ? " or test" : "");
    diagnostics_.report(expression.range, messages::kWrongType, part, "idx", wanted, describe(*value));
    return {};
  }

  // False where the list holds something else than names.
  bool class_names(const ir::List& list, const syntax::Setting& setting) {
    for (const Value& element : list) {
      const auto* name = element.as<std::string>();
      if (name == nullptr) {
        facts_.data.class_names.clear();
        return false;
      }
      if (std::ranges::find(facts_.data.class_names, *name) != facts_.data.class_names.end()) {
        diagnostics_.report(setting.value->range, messages::kClassTwice, *name);
      }
      facts_.data.class_names.push_back(*name);
    }
    facts_.data.classes = static_cast<std::int64_t>(list.size());
    return true;
  }

  void transform(const syntax::Step& step) {
    const auto* call = std::get_if<syntax::CallStep>(&step.form);
    if (call == nullptr || call->call.parts.size() != 1) {
      diagnostics_.report(step.range, messages::kNotATransform)
          .help("prepare { resize(32x32) -> normalize(mean=0.5, std=0.5) }");
      return;
    }
    const syntax::CallPart& part = call->call.parts.front();
    if (part.name.text == "resize") {
      resize(part, step.range);
    } else if (part.name.text == "normalize") {
      normalize(part, step.range);
    } else if (std::ranges::find(kLaterTransforms, part.name.text) != std::end(kLaterTransforms)) {
      diagnostics_.report(part.name.range, messages::kNotYetSupported,
                          fmt::format("the transform '{}'", part.name.text));
    } else {
      auto report = diagnostics_.report(part.name.range, messages::kUnknownTransform, part.name.text);
      if (const auto near = nearest(part.name.text, {"resize", "normalize"}); !near.empty())
        report.help(fmt::format("did you mean {}?", near));
      else
        report.help("the transforms are resize and normalize");
    }
  }

  void resize(const syntax::CallPart& part, Range range) {
    const auto bound =
        bind_arguments({"resize", part.name.range, kResizeArguments}, part.arguments, diagnostics_);
    if (!bound) return;
    if ((*bound)[1] != nullptr) {
      diagnostics_.report((*bound)[1]->range, messages::kNotYetSupported, "resize(short=...)");
      return;
    }
    if ((*bound)[0] == nullptr) {
      diagnostics_.report(range, messages::kMissingArgument, "size", "resize").help("write resize(32x32)");
      return;
    }
    const syntax::Expression& expression = *(*bound)[0]->value;
    const auto value = evaluate(expression, environment(), diagnostics_);
    if (!value) return;
    const auto* size = value->as<ir::Dimensions>();
    const auto fits = [](std::int64_t extent) { return extent >= 1 && extent <= kMaxImageSide; };
    if (size == nullptr || size->extents.size() != 2 || !std::ranges::all_of(size->extents, fits)) {
      auto report = diagnostics_.report(expression.range, messages::kWrongType, "size", "resize",
                                        "height x width, such as 32x32", describe(*value));
      if (const auto* side = value->as<std::int64_t>(); side != nullptr && fits(*side))
        report.help(fmt::format("write resize({}x{})", *side, *side));
      return;
    }
    facts_.resize_range = range;
    facts_.data.prepare.push_back({.kind = ir::Transform::Kind::kResize,
                                   .height = size->extents[0],
                                   .width = size->extents[1],
                                   .mean = {},
                                   .std_deviation = {}});
  }

  // A number, or one for each channel; none after a message.
  std::optional<std::vector<double>> numbers(const syntax::Argument* argument, std::string_view name,
                                             Range range) {
    if (argument == nullptr) {
      diagnostics_.report(range, messages::kMissingArgument, name, "normalize")
          .help("write normalize(mean=0.5, std=0.5), or a list with one number a channel");
      return std::nullopt;
    }
    const auto value = evaluate(*argument->value, environment(), diagnostics_);
    if (!value) return std::nullopt;
    std::vector<double> numbers;
    if (const auto number = number_of(*value)) numbers.push_back(*number);
    if (const auto* list = value->as<ir::List>()) {
      for (const Value& element : *list) {
        if (const auto number = number_of(element)) numbers.push_back(*number);
      }
      if (numbers.size() != list->size()) numbers.clear();
    }
    const bool positive =
        name != "std" || std::ranges::all_of(numbers, [](double number) { return number > 0; });
    if (!numbers.empty() && positive) return numbers;
    diagnostics_.report(
        argument->value->range, messages::kWrongType, name, "normalize",
        name == "std" ? "a number above 0, or one for each channel" : "a number, or one for each channel",
        describe(*value));
    return std::nullopt;
  }

  void normalize(const syntax::CallPart& part, Range range) {
    const auto bound =
        bind_arguments({"normalize", part.name.range, kNormalizeArguments}, part.arguments, diagnostics_);
    if (!bound) return;
    ir::Transform transform{.kind = ir::Transform::Kind::kNormalize, .mean = {}, .std_deviation = {}};
    facts_.normalize_range = range;
    if (const syntax::Argument* known = (*bound)[0]) {
      const auto value = evaluate(*known->value, environment(), diagnostics_);
      if (!value || !check_word(*value, known->value->range, "normalize", {"imagenet"}, diagnostics_))
        return;
      transform.mean = {0.485, 0.456, 0.406};  // of ImageNet's training images, as torchvision states them
      transform.std_deviation = {0.229, 0.224, 0.225};
      facts_.data.prepare.push_back(transform);
      return;
    }
    const auto mean = numbers((*bound)[1], "mean", range);
    const auto deviation = mean ? numbers((*bound)[2], "std", range) : std::nullopt;
    if (!deviation) return;
    if (mean->size() != deviation->size()) {
      diagnostics_.report(range, messages::kNormalizeLengths, mean->size(), deviation->size());
      return;
    }
    transform.mean = *mean;
    transform.std_deviation = *deviation;
    facts_.data.prepare.push_back(transform);
  }

  const FileScope& file_;
  Diagnostics& diagnostics_;
  DataFacts& facts_;
};

}  // namespace

std::optional<DataFacts> read_data(const syntax::DataItem& item, Range range, const FileScope& file) {
  const SettingNames names{"data", {"source", "classes", "batch"}};
  const int errors = file.diagnostics.errors();
  DataFacts facts{.data = {},
                  .batch = {},
                  .classes_range = range,
                  .source_range = range,
                  .resize_range = {},
                  .normalize_range = {}};
  facts.data.name = item.name.text;
  DataReader reader(file, facts);
  Settings settings;
  for (const syntax::ConfigStatement& statement : item.config.statements) {
    if (const auto* setting = std::get_if<syntax::Setting>(&statement.form)) {
      add_setting(*setting, names, settings, file.diagnostics);
    } else if (const auto* transforms = std::get_if<syntax::Transforms>(&statement.form)) {
      reader.transforms(*transforms);
    } else {
      file.diagnostics.report(statement.range, messages::kNotInHere, "data")
          .help("data takes source, classes, batch and prepare { ... }");
    }
  }
  for (const std::string_view needed : {"source", "classes"}) {
    if (settings.contains(needed)) continue;
    file.diagnostics
        .report(item.name.range, messages::kMissingSetting, fmt::format("data {}", item.name.text), needed)
        .help(needed == "source" ? "source = idx(\"DIR\", val=0.1)" : "classes = 10, or a list of names");
  }
  if (settings.contains("source")) reader.source(*settings.at("source"));
  if (settings.contains("classes")) reader.classes(*settings.at("classes"));
  if (settings.contains("batch")) {
    const auto batch = integer_setting("batch", settings, {1, kMaxBatch}, 0, file);
    if (batch) facts.batch = *batch;
  }
  return file.diagnostics.errors() == errors ? std::optional(std::move(facts)) : std::nullopt;
}

}  // namespace cnnc::sema
