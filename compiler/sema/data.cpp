// Reads a data item: its source and split, its classes, its transforms.
#include "sema/data.hpp"

#include <algorithm>
#include <map>

#include "sema/choose.hpp"
#include "sema/settings.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

ir::Split split_of(const ir::Value& value) {
  if (const auto* count = value.as<std::int64_t>()) return {.kind = ir::Split::Kind::kCount, .count = *count};
  if (const auto* fraction = value.as<double>()) return {.kind = ir::Split::Kind::kFraction, .fraction = *fraction};
  return {.kind = value.as<ir::Word>()->text == "test" ? ir::Split::Kind::kTest : ir::Split::Kind::kNone};
}

void read_source(const syntax::Setting& setting, const FileScope& file, DataFacts& facts) {
  const auto chosen = choose(data_sources(), "source of data", *setting.value, file.values, file);
  facts.source_range = setting.value->range;
  if (!chosen) return;
  using Source = ir::Data::Source;
  static const std::map<std::string_view, Source> kinds = {
      {"idx", Source::kIdx}, {"cifar10", Source::kCifar10}, {"folder", Source::kFolder}, {"list", Source::kList}};
  ir::Data& data = facts.data;
  data.source = kinds.at(chosen->callable->name);
  const std::string_view place = chosen->callable->arguments.front().name;
  const std::string& path = *chosen->arguments.values.at(place).as<std::string>();
  if (path.empty()) {
    file.diagnostics.report(chosen->arguments.value_range(place), messages::kWrongType, place, chosen->callable->name,
                            "a path", "the text \"\"");
  }
  data.directory = file.resolve(path);
  data.validation = split_of(chosen->arguments.values.at("val"));
  data.test = split_of(chosen->arguments.values.at("test"));
  if (data.validation.kind == ir::Split::Kind::kTest) {
    file.diagnostics.report(chosen->arguments.value_range("val"), messages::kTestAsValidation)
        .help("val=0.1 takes a tenth of the training part instead");
  }
  facts.images.channels = data.source == Source::kIdx ? 1 : 3;
  facts.images.channels_range = setting.value->range;
  facts.images.sizes_differ = data.source == Source::kFolder || data.source == Source::kList;
  if (data.source == Source::kCifar10) facts.images.size = {32, 32};
}

// False where the list holds something else than names.
bool class_names(const ir::List& list, const syntax::Setting& setting, ir::Data& data, Diagnostics& diagnostics) {
  for (const ir::Value& element : list) {
    const auto* name = element.as<std::string>();
    if (name == nullptr) return false;
    if (std::ranges::find(data.class_names, *name) != data.class_names.end()) {
      diagnostics.report(setting.value->range, messages::kClassTwice, *name);
    }
    data.class_names.push_back(*name);
  }
  data.classes = static_cast<std::int64_t>(list.size());
  return true;
}

void read_classes(const syntax::Setting& setting, const FileScope& file, DataFacts& facts) {
  facts.classes_range = setting.value->range;
  const auto value = setting_value(setting, file);
  if (!value) return;
  const auto* count = value->as<std::int64_t>();
  if (count != nullptr && *count >= 2 && *count <= 1'000'000) {
    facts.data.classes = *count;
    return;
  }
  const auto* list = value->as<ir::List>();
  if (list != nullptr && list->size() >= 2 && class_names(*list, setting, facts.data, file.diagnostics)) return;
  facts.data.class_names.clear();
  file.diagnostics.report(setting.value->range, messages::kWrongSetting, "classes",
                          "a number of at least 2 or a list of names", describe(*value));
}

}  // namespace

std::optional<DataFacts> read_data(const syntax::DataItem& item, Range range, const FileScope& file) {
  static const SettingNames kNames{"data", names_of(data_settings())};
  const int errors = file.diagnostics.errors();
  DataFacts facts{.data = {},
                  .batch = {},
                  .classes_range = range,
                  .source_range = range,
                  .normalize_range = {},
                  .images = {},
                  .augmented = {}};
  facts.data.name = item.name.text;
  Settings settings;
  std::vector<const syntax::Transforms*> transforms;
  for (const syntax::ConfigStatement& statement : item.config.statements) {
    if (const auto* setting = std::get_if<syntax::Setting>(&statement.form)) {
      add_setting(*setting, kNames, settings, file.diagnostics);
    } else if (const auto* one = std::get_if<syntax::Transforms>(&statement.form)) {
      transforms.push_back(one);
    } else {
      file.diagnostics.report(statement.range, messages::kNotInHere, "data")
          .help("data takes source, classes, batch, prepare { ... } and augment { ... }");
    }
  }
  for (const std::string_view name : {"source", "classes"}) {
    const auto found = settings.find(name);
    if (found == settings.end()) {
      file.diagnostics.report(item.name.range, messages::kMissingSetting, fmt::format("data {}", item.name.text), name)
          .help(name == "source" ? "source = idx(\"DIR\", val=0.1)" : "classes = 10, or a list of names");
    } else if (name == "source") {
      read_source(*found->second, file, facts);
    } else {
      read_classes(*found->second, file, facts);
    }
  }
  // The files hold labels without names; these are theirs, in their order.
  if (facts.data.source == ir::Data::Source::kCifar10 && facts.data.classes == 10 && facts.data.class_names.empty()) {
    facts.data.class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  }
  // What prepares every image comes first, wherever it is written.
  std::ranges::stable_sort(transforms, {}, [](const syntax::Transforms* one) { return one->kind.text == "augment"; });
  for (const syntax::Transforms* one : transforms) read_transforms(*one, file, facts);
  const auto batch = integer_setting("batch", settings, {1, kMaxBatch}, 0, file);
  if (batch && *batch > 0) facts.batch = *batch;
  return file.diagnostics.errors() == errors ? std::optional(std::move(facts)) : std::nullopt;
}

}  // namespace cnnc::sema
