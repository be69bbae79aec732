// How closely a program's results follow the definition.
#pragma once

namespace cnnc::ir {

/// Strict: within 1e-5 of the largest result; fast: within 1e-3, by algorithms that take fewer operations.
enum class Precision { kStrict, kFast };

}  // namespace cnnc::ir
