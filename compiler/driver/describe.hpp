// `cnnc describe`: the reference of the language, printed from the tables that specs are checked against.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/op_def.hpp"

namespace cnnc::driver {

/// All about one layer, data source, transform, loss, metric, optimizer, schedule or callback; none where there is no such name.
std::optional<std::string> describe(std::string_view name, const ir::OpRegistry& ops);

/// Every name with its sentence, by kind.
std::string describe_all(const ir::OpRegistry& ops);

/// The whole reference as Markdown: docs/reference.md.
std::string describe_markdown(const ir::OpRegistry& ops);

/// Every name that `describe` knows, for suggestions.
std::vector<std::string_view> describable(const ir::OpRegistry& ops);

}  // namespace cnnc::driver
