// `name = value` lines of data, train and phase, and the values they take.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "sema/models.hpp"

namespace cnnc::sema {

/// The settings one kind of block takes.
struct SettingNames {
  std::string_view owner;  // "train", "data", "phase"
  std::vector<std::string_view> known;
};

/// A setting with the values that its expression means: those of its file, or of a recipe.
struct WrittenSetting {
  const syntax::Setting* setting = nullptr;
  const Scope* values = nullptr;  // null: those of the file that reads it

  const syntax::Setting& operator*() const { return *setting; }
  const syntax::Setting* operator->() const { return setting; }
};
using Settings = std::map<std::string_view, WrittenSetting>;

/// Adds a setting; reports one that is unknown or given twice in the same values. What a train says replaces what its recipe
/// says.
void add_setting(const syntax::Setting& setting, const SettingNames& names, Settings& settings,
                 Diagnostics& diagnostics, const Scope* values = nullptr);

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

/// The number that `--set` or the setting gives; none without one, and `failed` after a message.
struct NumberSetting {
  std::optional<double> value;
  bool failed = false;
};
NumberSetting number_setting(std::string_view name, const Settings& settings, double least, double most,
                             const FileScope& file, bool overridable = true);

/// The setting's value; none after a message. Bare words that nothing binds are words.
std::optional<ir::Value> setting_value(const syntax::Setting& setting, const FileScope& file);
std::optional<ir::Value> setting_value(const WrittenSetting& setting, const FileScope& file);

/// A word that must be one of `choices`.
bool check_word(const ir::Value& value, Range range, std::string_view setting,
                const std::vector<std::string_view>& choices, Diagnostics& diagnostics);

}  // namespace cnnc::sema
