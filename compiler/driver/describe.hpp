// What `cnnc describe` prints: the reference of layers, from their cards.
#pragma once

#include <string>

#include "ir/op_def.hpp"

namespace cnnc::driver {

/// One layer: its summary, and each argument with type, default and meaning.
std::string describe(const ir::OpDef& card);
/// All layers, a line each.
std::string describe_all(const ir::OpRegistry& ops);

}  // namespace cnnc::driver
