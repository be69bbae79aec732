// `prepare` and `augment`: which transforms there are, in which order, and what they make of the images.
#include <algorithm>

#include "sema/choose.hpp"
#include "sema/data.hpp"
#include "sema/foreign_names.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

constexpr std::string_view kExample = "prepare { resize(32x32) -> normalize(mean=0.5, std=0.5) }";

std::vector<double> numbers_of(const ir::Value& value) {
  if (const auto one = number_of(value)) return {*one};
  std::vector<double> numbers;
  for (const ir::Value& element : *value.as<ir::List>()) numbers.push_back(*number_of(element));
  return numbers;
}

class TransformReader {
 public:
  TransformReader(bool augment, const FileScope& file, DataFacts& facts)
      : augment_(augment), diagnostics_(file.diagnostics), file_(file), facts_(facts),
        images_(augment ? *facts.augmented : facts.images) {}

  void read(const syntax::Step& step) {
    const auto* call = std::get_if<syntax::CallStep>(&step.form);
    if (call == nullptr) return report_none(step.range);
    const syntax::CallPart& part = call->call.parts.back();
    const auto found = std::ranges::find(transforms(), part.name.text, &Callable::name);
    if (found == transforms().end() || call->call.parts.size() != 1) return report_unknown(part.name, call->call.range);
    if (!augment_ && is_random_transform(found->name)) {
      diagnostics_.report(part.name.range, messages::kRandomInPrepare, found->name)
          .help(fmt::format("write it in augment {{ {} }}, which is for the training part alone", file_.sources.text(step.range)));
      return;
    }
    if (!fits_normalize(*found, step.range)) return;
    const auto arguments = check_arguments({found->name, part.name.range, found->arguments}, part.arguments, file_.ops,
                                           {file_.values, nullptr}, diagnostics_);
    if (arguments) apply({&*found, *arguments, step.range});
  }

  void report_none(Range range) { diagnostics_.report(range, messages::kNotATransform).help(std::string(kExample)); }

 private:
  // Pixels become numbers once, at the end of prepare; augment works on pixels, too.
  bool fits_normalize(const Callable& transform, Range range) {
    const bool normalizes = transform.name == "normalize";
    if (augment_ && normalizes) {
      diagnostics_.report(range, messages::kNormalizeInAugment).help(fmt::format("prepare {{ {} }}", file_.sources.text(range)));
      return false;
    }
    if (augment_ || normalizes || !facts_.normalize_range) return true;
    diagnostics_.report(range, messages::kAfterNormalize, transform.name)
        .also(*facts_.normalize_range, "normalize")
        .help(fmt::format("{} -> {}", file_.sources.text(range), file_.sources.text(*facts_.normalize_range)));
    return false;
  }

  void report_unknown(const syntax::Name& name, Range range) {
    auto report = diagnostics_.report(range, messages::kUnknownTransform, name.text);
    const auto names = names_of(transforms());
    if (const auto foreign = foreign_word("transform", name.text); !foreign.empty()) report.help(std::string(foreign));
    else if (const auto near = nearest(name.text, names); !near.empty()) report.help(fmt::format("did you mean {}?", near));
    else report.help(fmt::format("the transforms are {}", enumerate(names)));
  }

  void apply(const Chosen& chosen) {
    ir::Transform transform{.name = std::string(chosen.callable->name), .arguments = chosen.arguments.values};
    const bool well = transform.name == "resize"      ? resize(chosen, transform)
                      : transform.name == "normalize" ? normalize(chosen, transform)
                                                      : change_images(chosen);
    if (!well) return;
    (augment_ ? facts_.data.augment : facts_.data.prepare).push_back(std::move(transform));
  }

  void set_size(std::int64_t height, std::int64_t width, Range range) {
    images_.size = {height, width};
    images_.size_range = range;
    images_.sizes_differ = false;
  }

  bool resize(const Chosen& chosen, ir::Transform& transform) {
    const ir::ArgumentValues& values = chosen.arguments.values;
    const auto size = chosen.arguments.range("size");
    if (size && chosen.arguments.range("short")) {
      diagnostics_.report(chosen.range, messages::kTwoSizes).help("resize(224x224), or resize(short=256) -> center_crop(224x224)");
      return false;
    }
    if (chosen.arguments.range("short")) {
      images_.size.reset();
      images_.size_range = chosen.range;
      images_.sizes_differ = true;
      return true;
    }
    const auto* pair = values.at("size").as<ir::Dimensions>();
    if (!size) {
      diagnostics_.report(chosen.range, messages::kMissingArgument, "size", "resize").help("write resize(32x32)");
      return false;
    }
    if (pair == nullptr) {
      const std::int64_t side = values.integer("size");
      diagnostics_.report(*size, messages::kWrongType, "size", "resize", "height x width, such as 32x32", describe(values.at("size")))
          .help(fmt::format("write resize({}x{}), or resize(short={})", side, side, side));
      return false;
    }
    transform.kind = ir::Transform::Kind::kResize;
    transform.height = pair->extents[0];
    transform.width = pair->extents[1];
    set_size(transform.height, transform.width, chosen.range);
    return true;
  }

  bool normalize(const Chosen& chosen, ir::Transform& transform) {
    const ir::ArgumentValues& values = chosen.arguments.values;
    transform.kind = ir::Transform::Kind::kNormalize;
    facts_.normalize_range = chosen.range;
    if (chosen.arguments.range("statistics")) {
      transform.mean = {0.485, 0.456, 0.406};  // of ImageNet's training images, as torchvision states them
      transform.std_deviation = {0.229, 0.224, 0.225};
      return true;
    }
    for (const std::string_view name : {"mean", "std"}) {
      if (chosen.arguments.range(name)) continue;
      diagnostics_.report(chosen.range, messages::kMissingArgument, name, "normalize")
          .help("write normalize(mean=0.5, std=0.5), or a list with one number a channel");
      return false;
    }
    transform.mean = numbers_of(values.at("mean"));
    transform.std_deviation = numbers_of(values.at("std"));
    if (std::ranges::any_of(transform.std_deviation, [](double one) { return one <= 0; }) || transform.std_deviation.empty()) {
      diagnostics_.report(chosen.arguments.value_range("std"), messages::kWrongType, "std", "normalize",
                          "a number above 0, or one for each channel", describe(values.at("std")));
      return false;
    }
    if (transform.mean.size() != transform.std_deviation.size()) {
      diagnostics_.report(chosen.range, messages::kNormalizeLengths, transform.mean.size(), transform.std_deviation.size());
      return false;
    }
    return true;
  }

  bool change_images(const Chosen& chosen) {
    const ir::ArgumentValues& values = chosen.arguments.values;
    const std::string_view name = chosen.callable->name;
    if (name == "grayscale" || name == "rgb") {
      images_.channels = name == "rgb" ? 3 : 1;
      images_.channels_range = chosen.range;
    } else if (name == "center_crop" || name == "random_crop") {
      const auto [height, width] = values.pair("size");
      const std::int64_t margin = name == "random_crop" ? values.integer("pad") : 0;
      if (images_.size && (height > images_.size->first + 2 * margin || width > images_.size->second + 2 * margin)) {
        diagnostics_.report(chosen.range, messages::kCropTooLarge, name, fmt::format("{}x{}", height, width),
                            fmt::format("{}x{}", images_.size->first, images_.size->second));
        return false;
      }
      set_size(height, width, chosen.range);
    } else if (name == "pad" && images_.size) {
      const std::int64_t margin = 2 * values.integer("amount");
      set_size(images_.size->first + margin, images_.size->second + margin, chosen.range);
    }
    return true;
  }

  bool augment_;
  Diagnostics& diagnostics_;
  const FileScope& file_;
  DataFacts& facts_;
  ImageFacts& images_;
};

}  // namespace

void read_transforms(const syntax::Transforms& transforms, const FileScope& file, DataFacts& facts) {
  const bool augment = transforms.kind.text == "augment";
  if (augment) facts.augmented = facts.images;
  TransformReader reader(augment, file, facts);
  for (const syntax::Statement& statement : transforms.body.statements) {
    const auto* layer = std::get_if<syntax::LayerStatement>(&statement.form);
    if (layer == nullptr || layer->name) {
      reader.report_none(statement.range);
      continue;
    }
    for (const syntax::Step& step : layer->steps) reader.read(step);
  }
}

}  // namespace cnnc::sema
