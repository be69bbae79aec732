// `name = value` lines of data, train and phase, and the values they take.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "sema/models.hpp"

namespace cnnc::sema {

/// The settings one kind of block takes, and those the language has but this version does not.
struct SettingNames {
  std::string_view owner;  // "train", "data", "phase"
  std::vector<std::string_view> known;
  std::vector<std::string_view> later;
};

using Settings = std::map<std::string_view, const syntax::Setting*>;

/// Adds a setting; reports one that is unknown, given twice, or not supported yet.
void add_setting(const syntax::Setting& setting, const SettingNames& names, Settings& settings,
                 Diagnostics& diagnostics);

/// The largest batch a spec may ask for.
inline constexpr std::int64_t kMaxBatch = 65536;

/// Bounds of a whole number, both inclusive.
struct Bounds {
  std::int64_t least;
  std::int64_t most;
};

/// The whole number that `--set` or the setting gives; `absent` where neither does; none after a message.
std::optional<std::int64_t> integer_setting(std::string_view name, const Settings& settings, Bounds bounds,
                                            std::int64_t absent, const FileScope& file);

/// The setting's value; none after a message. Bare words that nothing binds are words.
std::optional<ir::Value> setting_value(const syntax::Setting& setting, const FileScope& file);

/// A word that must be one of `choices`; `later` ones are not supported yet.
bool check_word(const ir::Value& value, Range range, std::string_view setting,
                const std::vector<std::string_view>& choices, const std::vector<std::string_view>& later,
                Diagnostics& diagnostics);

}  // namespace cnnc::sema
