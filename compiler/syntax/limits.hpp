// What is refused before the parser, which recurses, sees it.
#pragma once

#include <cstdint>

#include "support/diagnostics.hpp"

namespace cnnc::syntax {

inline constexpr std::size_t kLargestText = 1 << 20;  // bytes; the largest spec known has some 10 thousand
inline constexpr int kDeepestNesting = 256;           // brackets, operators and `else if`s within each other

/// Whether the text is valid UTF-8 without NUL, no larger than 1 MiB, and nested no deeper than 256. Reports what is not.
bool within_limits(const Sources& sources, std::uint32_t file, Diagnostics& diagnostics);

/// Where a text is nested deeper than the limit; its size where it is not.
std::size_t too_deep(std::string_view text);

}  // namespace cnnc::syntax
