// What the language calls by name beside layers: one table a kind, from which calls are checked and the reference is printed.
#pragma once

#include <string_view>
#include <vector>

#include "ir/op_def.hpp"

namespace cnnc::sema {

struct Callable {
  std::string_view name;
  std::string_view summary;  // a sentence
  std::vector<ir::ArgumentDef> arguments = {};
};

const std::vector<Callable>& data_sources();
const std::vector<Callable>& transforms();
/// Whether a transform draws random numbers, so that it stands in `augment` alone.
bool is_random_transform(std::string_view name);

const std::vector<Callable>& losses();
const std::vector<Callable>& metrics();
const std::vector<Callable>& optimizers();
const std::vector<Callable>& schedules();
const std::vector<Callable>& callbacks();

/// A `name = value` line.
struct SettingFacts {
  std::string_view name;
  std::string_view summary;
};
const std::vector<SettingFacts>& data_settings();
const std::vector<SettingFacts>& train_settings();
const std::vector<SettingFacts>& phase_settings();
const std::vector<SettingFacts>& group_settings();

/// Their names, for suggestions.
template <class Row>
std::vector<std::string_view> names_of(const std::vector<Row>& rows) {
  std::vector<std::string_view> names;
  for (const Row& row : rows) names.push_back(row.name);
  return names;
}

}  // namespace cnnc::sema
