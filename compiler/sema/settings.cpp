// Reading single settings. Which there are is said by data.cpp, train.cpp and phases.cpp.
#include "sema/settings.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/foreign_names.hpp"
#include "sema/values/operators.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

void add_setting(const syntax::Setting& setting, const SettingNames& names, Settings& settings,
                 Diagnostics& diagnostics, const ConfigScope* scope) {
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
  const auto [place, fresh] = settings.try_emplace(name, WrittenSetting{&setting, scope});
  if (fresh) return;
  if (place->second.scope != scope) {
    place->second = {&setting, scope};
    return;
  }
  diagnostics.report(setting.name.range, messages::kSettingTwice, name, names.owner)
      .also(place->second->name.range, "first given here");
}

std::optional<ir::Value> setting_value(const syntax::Setting& setting, const FileScope& file) {
  return evaluate(*setting.value, {file.values, nullptr}, file.diagnostics);
}

std::optional<ir::Value> setting_value(const WrittenSetting& setting, const FileScope& file) {
  const InScope in_scope(setting.scope);
  return evaluate(*setting->value, {setting.values(file), nullptr}, file.diagnostics);
}

namespace {

// What --set or the spec gives a setting, and which of them.
struct Given {
  std::optional<ir::Value> value;  // none after a message
  const WrittenSetting* written;   // null: by --set
};

// None where neither gives it.
std::optional<Given> given_value(std::string_view name, const Settings& settings, const FileScope& file, bool overridable) {
  if (auto value = overridable ? file.override_of(name) : std::nullopt) return Given{std::move(value), nullptr};
  const auto found = settings.find(name);
  if (found == settings.end()) return std::nullopt;
  return Given{setting_value(found->second, file), &found->second};
}

void report_wrong(std::string_view name, std::string_view wanted, const Given& given, const FileScope& file) {
  if (given.written == nullptr) {
    file.diagnostics.report_general(messages::kWrongOverride, name, to_text(*given.value), wanted);
    return;
  }
  const InScope in_scope(given.written->scope);
  const Scope& values = given.written->values(file);
  const Range range = (*given.written)->value->range;
  const auto* word = given.value->as<ir::Word>();
  if (word != nullptr && values.find(word->text) == nullptr) {
    report_unknown_name(word->text, range, values, file.diagnostics);
  } else {
    file.diagnostics.report(range, messages::kWrongSetting, name, wanted, describe(*given.value));
  }
}

}  // namespace

NumberSetting number_setting(std::string_view name, const Settings& settings, const NumberBounds& bounds,
                             const FileScope& file, bool overridable) {
  const auto given = given_value(name, settings, file, overridable);
  if (!given) return {};
  if (!given->value) return {{}, true};
  const auto number = number_of(*given->value);
  if (number && *number >= bounds.least && *number <= bounds.most) return {number};
  report_wrong(name, bounds.wanted, *given, file);
  return {{}, true};
}

std::optional<std::int64_t> integer_setting(std::string_view name, const Settings& settings, Bounds bounds,
                                            std::int64_t absent, const FileScope& file) {
  const auto given = given_value(name, settings, file, true);
  if (!given) return absent;
  if (!given->value) return std::nullopt;
  const auto* number = given->value->as<std::int64_t>();
  if (number != nullptr && *number >= bounds.least && *number <= bounds.most) return *number;
  report_wrong(name, fmt::format("a whole number from {} to {}", bounds.least, bounds.most), *given, file);
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

std::optional<std::string> word_setting(std::string_view name, const Settings& settings,
                                        const std::vector<std::string_view>& choices, std::string_view absent,
                                        const FileScope& file) {
  const auto given = given_value(name, settings, file, true);
  if (!given) return std::string(absent);
  if (!given->value) return std::nullopt;
  if (given->written == nullptr) {
    const auto* word = given->value->as<ir::Word>();
    if (word != nullptr && std::ranges::find(choices, word->text) != choices.end()) return word->text;
    report_wrong(name, enumerate(choices, "or"), *given, file);
    return std::nullopt;
  }
  const InScope in_scope(given->written->scope);
  if (!check_word(*given->value, (*given->written)->value->range, name, choices, file.diagnostics)) return std::nullopt;
  return given->value->as<ir::Word>()->text;
}

}  // namespace cnnc::sema
