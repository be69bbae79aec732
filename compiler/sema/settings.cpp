// Reading single settings. Which there are is said by data.cpp, train.cpp and phases.cpp.
#include "sema/settings.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/foreign_names.hpp"
#include "sema/values/operators.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

void add_setting(const syntax::Setting& setting, const SettingNames& names, Settings& settings,
                 Diagnostics& diagnostics, const Scope* values) {
  const std::string_view name = setting.name.text;
  if (std::ranges::find(names.known, name) == names.known.end()) {
    auto report = diagnostics.report(setting.name.range, messages::kUnknownSetting, name, names.owner);
    if (const auto foreign = foreign_option(names.owner, name); !foreign.empty())
      report.help(std::string(foreign));
    else if (const auto near = nearest(name, names.known); !near.empty())
      report.help(fmt::format("did you mean {}?", near));
    else
      report.help(fmt::format("{} takes {}", names.owner, enumerate(names.known)));
    return;
  }
  const auto [place, fresh] = settings.try_emplace(name, WrittenSetting{&setting, values});
  if (fresh) return;
  if (place->second.values != values) {
    place->second = {&setting, values};
    return;
  }
  diagnostics.report(setting.name.range, messages::kSettingTwice, name, names.owner)
      .also(place->second->name.range, "first given here");
}

std::optional<ir::Value> setting_value(const syntax::Setting& setting, const FileScope& file) {
  return evaluate(*setting.value, {file.values, nullptr}, file.diagnostics);
}

std::optional<ir::Value> setting_value(const WrittenSetting& setting, const FileScope& file) {
  return evaluate(*setting->value, {setting.values != nullptr ? *setting.values : file.values, nullptr}, file.diagnostics);
}

NumberSetting number_setting(std::string_view name, const Settings& settings, double least, double most,
                             const FileScope& file, bool overridable) {
  const auto found = settings.find(name);
  const auto given = overridable ? file.override_of(name) : std::nullopt;
  if (!given && found == settings.end()) return {};
  const auto value = given ? given : setting_value(found->second, file);
  if (!value) return {{}, true};
  const auto number = number_of(*value);
  if (number && *number >= least && *number <= most) return {number};
  const std::string wanted = fmt::format("a number from {} to {}", least, most);
  if (given) file.diagnostics.report_general(messages::kWrongOverride, name, to_text(*given), wanted);
  else file.diagnostics.report(found->second->value->range, messages::kWrongSetting, name, wanted, describe(*value));
  return {{}, true};
}

std::optional<std::int64_t> integer_setting(std::string_view name, const Settings& settings, Bounds bounds,
                                            std::int64_t absent, const FileScope& file) {
  const auto given = file.override_of(name);
  const auto found = settings.find(name);
  if (!given && found == settings.end()) return absent;
  const auto value = given ? given : setting_value(found->second, file);
  if (!value) return std::nullopt;
  const auto* number = value->as<std::int64_t>();
  if (number != nullptr && *number >= bounds.least && *number <= bounds.most) return *number;
  const std::string wanted = fmt::format("a whole number from {} to {}", bounds.least, bounds.most);
  if (given) {
    file.diagnostics.report_general(messages::kWrongOverride, name, to_text(*given), wanted);
    return std::nullopt;
  }
  const auto* word = value->as<ir::Word>();
  const Range range = found->second->value->range;
  if (word != nullptr && file.values.find(word->text) == nullptr) {
    report_unknown_name(word->text, range, file.values, file.diagnostics);
  } else {
    file.diagnostics.report(range, messages::kWrongSetting, name, wanted, describe(*value));
  }
  return std::nullopt;
}

bool check_word(const ir::Value& value, Range range, std::string_view setting,
                const std::vector<std::string_view>& choices, Diagnostics& diagnostics) {
  const auto* word = value.as<ir::Word>();
  const auto* text = value.as<std::string>();
  const std::string_view written = word   ? std::string_view(word->text)
                                   : text ? std::string_view(*text)
                                          : std::string_view();
  const bool known = std::ranges::find(choices, written) != choices.end();
  if (word != nullptr && known) return true;
  auto report =
      diagnostics.report(range, messages::kWrongSetting, setting, enumerate(choices, "or"), describe(value));
  if (known)
    report.help(fmt::format("write {} without quotes", written));
  else if (const auto foreign = foreign_word(setting, written); !foreign.empty())
    report.help(std::string(foreign));
  else if (const auto near = nearest(written, choices); !near.empty())
    report.help(fmt::format("did you mean {}?", near));
  return false;
}

}  // namespace cnnc::sema
