// `name = value` lines of data, train and phase, and the values they take.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sema/models.hpp"

namespace cnnc::sema {

/// Whose names the lines of a config mean: a train's file, or a recipe's file and parameters.
struct ConfigScope {
  const FileScope* file = nullptr;
  const Scope* values = nullptr;
  std::optional<Note> used = {};  // "in using TwoPhase(warm=8)"

  Environment environment() const { return {*values, nullptr}; }
};

/// While it lives, messages say which use of a recipe they are about.
class InScope {
 public:
  explicit InScope(const ConfigScope& scope) : InScope(&scope) {}
  /// Null: what a file says itself, in no recipe.
  explicit InScope(const ConfigScope* scope) {
    if (scope != nullptr && scope->used) context_.emplace(scope->file->diagnostics, *scope->used);
  }

 private:
  std::optional<Diagnostics::Context> context_;
};

/// The settings one kind of block takes.
struct SettingNames {
  std::string_view owner;  // "train", "data", "phase"
  std::vector<std::string_view> known;
};

/// A setting with the scope whose names its expression means.
struct WrittenSetting {
  const syntax::Setting* setting = nullptr;
  const ConfigScope* scope = nullptr;  // null: that of the file that reads it

  const Scope& values(const FileScope& reader) const { return scope != nullptr ? *scope->values : reader.values; }

  const syntax::Setting& operator*() const { return *setting; }
  const syntax::Setting* operator->() const { return setting; }
};
using Settings = std::map<std::string_view, WrittenSetting>;

/// Adds a setting; reports one that is unknown or given twice in the same scope. What a train says replaces what its recipe
/// says.
void add_setting(const syntax::Setting& setting, const SettingNames& names, Settings& settings,
                 Diagnostics& diagnostics, const ConfigScope* scope = nullptr);

/// The largest batch a spec may ask for.
inline constexpr std::int64_t kMaxBatch = 65536;

/// Bounds of a whole number, both inclusive.
struct Bounds {
  std::int64_t least;
  std::int64_t most;
};

/// Bounds of any number, both inclusive, and how a message says them: "a number above 0".
struct NumberBounds {
  double least;
  double most;
  std::string_view wanted;
};

/// The whole number that `--set` or the setting gives; `absent` where neither does; none after a message.
std::optional<std::int64_t> integer_setting(std::string_view name, const Settings& settings, Bounds bounds,
                                            std::int64_t absent, const FileScope& file);

/// The number that `--set` or the setting gives; none without one, and `failed` after a message.
struct NumberSetting {
  std::optional<double> value;
  bool failed = false;
};
NumberSetting number_setting(std::string_view name, const Settings& settings, const NumberBounds& bounds,
                             const FileScope& file, bool overridable = true);

/// The setting's value; none after a message. Bare words that nothing binds are words.
std::optional<ir::Value> setting_value(const syntax::Setting& setting, const FileScope& file);
std::optional<ir::Value> setting_value(const WrittenSetting& setting, const FileScope& file);

/// The word that `--set` or the setting gives, one of `choices`; `absent` where neither does; none after a message.
std::optional<std::string> word_setting(std::string_view name, const Settings& settings,
                                        const std::vector<std::string_view>& choices, std::string_view absent,
                                        const FileScope& file);

/// A word that must be one of `choices`.
bool check_word(const ir::Value& value, Range range, std::string_view setting,
                const std::vector<std::string_view>& choices, Diagnostics& diagnostics);

}  // namespace cnnc::sema
